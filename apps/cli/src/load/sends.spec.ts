import fc from 'fast-check';
import { sends, WINDOW } from './sends.ts';

const anyPlan = fc.record({
  count: fc.integer({ min: 0, max: 400 }),
  duplicate: fc.double({ min: 0, max: 1, noNaN: true }),
  reorder: fc.double({ min: 0, max: 1, noNaN: true }),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
});
const every10Ms = (count: number) => Array.from({ length: count }, (_, n) => n * 10);
const planOf = ({ count, ...plan }: { count: number; duplicate: number; reorder: number; seed: number }) => [
  ...sends({ arrivals: every10Ms(count), ...plan }),
];

describe('the plan of a load', () => {
  test('sends every order once for the first time, at the arrivals’ times, and duplicates only after that', () => {
    fc.assert(
      fc.property(anyPlan, (options) => {
        const plan = planOf(options);
        const first = plan.filter((send) => !send.again);
        expect(first.map((send) => send.dueMs)).toEqual(every10Ms(options.count));
        expect(first.map((send) => send.order).toSorted((a, b) => a - b)).toEqual(
          every10Ms(options.count).map((_, n) => n),
        );
        const sent = new Set<number>();
        for (const { order, again } of plan) {
          expect(sent.has(order)).toBe(again);
          sent.add(order);
        }
      }),
    );
  });

  test('is in order of time, and moves no order out of its window', () => {
    fc.assert(
      fc.property(anyPlan, (options) => {
        const plan = planOf(options);
        expect(plan.every(({ dueMs }, index) => dueMs >= (plan[index - 1]?.dueMs ?? 0))).toBe(true);
        for (const { order, dueMs } of plan.filter((send) => !send.again))
          expect(Math.floor(order / WINDOW)).toBe(Math.floor(dueMs / 10 / WINDOW));
      }),
    );
  });

  test('is the same for the same seed', () => {
    fc.assert(fc.property(anyPlan, (options) => expect(planOf(options)).toEqual(planOf(options))));
  });

  test('without duplicates and re-ordering is the arrivals as they are', () => {
    fc.assert(
      fc.property(anyPlan, ({ count, seed }) => {
        const plan = planOf({ count, duplicate: 0, reorder: 0, seed });
        expect(plan).toEqual(every10Ms(count).map((dueMs, order) => ({ order, dueMs, again: false })));
      }),
    );
  });

  test('sends the share of duplicates that was asked for, at the same moment and later, and shuffles its share', () => {
    const plan = planOf({ count: 10_000, duplicate: 0.2, reorder: 0.5, seed: 7 });
    const again = plan.filter((send) => send.again);
    expect(again.length).toBeGreaterThan(1_800);
    expect(again.length).toBeLessThan(2_200);
    const firstAt = new Map(plan.filter((send) => !send.again).map((send) => [send.order, send.dueMs]));
    const atOnce = again.filter((send) => send.dueMs === firstAt.get(send.order)).length;
    expect(atOnce / again.length).toBeGreaterThan(0.4);
    expect(atOnce / again.length).toBeLessThan(0.6);
    const moved = plan.filter((send) => !send.again && send.dueMs !== send.order * 10).length;
    expect(moved / 10_000).toBeGreaterThan(0.4);
    expect(moved / 10_000).toBeLessThan(0.5);
  });
});
