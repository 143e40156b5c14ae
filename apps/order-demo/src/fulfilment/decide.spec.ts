import fc from 'fast-check';
import { decide, NEEDED, type Needed, type OrderProgress } from './decide.ts';

const acceptedAt = new Date('2026-03-01T12:00:00.000Z');
const after = (ms: number) => new Date(acceptedAt.getTime() + ms);
const anOrder = (fields: Partial<OrderProgress> = {}): OrderProgress => ({
  id: '0195500a-0000-7000-8000-000000000001',
  status: 'accepted',
  acceptedAt,
  done: new Set(),
  ...fields,
});
const options = { deadlineMs: 60_000 };

describe('the process manager', () => {
  test('confirms once document, coupon and notification are done', () => {
    expect(decide(anOrder({ done: new Set(NEEDED) }), after(1), options)).toEqual({ kind: 'confirm' });
  });

  test('confirms rather than compensates when the third comes after the deadline but before the sweep', () => {
    expect(decide(anOrder({ done: new Set(NEEDED) }), after(999_999), options)).toEqual({ kind: 'confirm' });
  });

  test('waits for what is missing, up to the last millisecond of the deadline', () => {
    const order = anOrder({ done: new Set<Needed>(['document']) });
    expect(decide(order, after(59_999), options)).toEqual({
      kind: 'wait',
      for: ['coupon', 'notification'],
      until: after(60_000),
    });
    expect(decide(order, after(60_000), options)).toEqual({
      kind: 'compensate',
      reason: 'no coupon, no notification within 60 s of acceptance',
    });
  });

  test('a clock that jumps back only makes it wait', () => {
    expect(decide(anOrder(), after(-3_600_000), options)).toMatchObject({ kind: 'wait' });
  });

  test('an order that has ended stays as it is, whatever is reported and however late', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('confirmed' as const, 'compensated' as const),
        fc.subarray([...NEEDED]),
        fc.integer({ min: -1e9, max: 1e9 }),
        (status, done, ms) => {
          expect(decide(anOrder({ status, done: new Set(done) }), after(ms), options)).toEqual({ kind: 'ended' });
        },
      ),
    );
  });

  test('is confirmed only when nothing is missing, compensated only when something is', () => {
    fc.assert(
      fc.property(fc.subarray([...NEEDED]), fc.integer({ min: 0, max: 200_000 }), (done, ms) => {
        const next = decide(anOrder({ done: new Set(done) }), after(ms), options);
        if (next.kind === 'confirm') expect(done).toHaveLength(3);
        if (next.kind === 'compensate') expect(done.length).toBeLessThan(3);
        expect(next.kind).not.toBe('ended');
      }),
    );
  });
});
