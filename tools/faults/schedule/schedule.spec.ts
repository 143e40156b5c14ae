import fc from 'fast-check';
import { INSTANCES, KINDS, kindsFor, RELAYS, type KindName } from './kinds.ts';
import { CALM_MS, schedule, scheduleLines } from './schedule.ts';

const all = kindsFor({ cluster: true });
const anyOptions = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  seconds: fc.integer({ min: 1, max: 1_200 }),
  kinds: fc.subarray(all, { minLength: 1 }),
});

describe('the schedule of a fault run', () => {
  test('is the same for the same seed', () => {
    fc.assert(fc.property(anyOptions, (options) => expect(schedule(options)).toEqual(schedule(options))));
  });

  test('is another one for another seed', () => {
    const lines = (seed: number) => scheduleLines(schedule({ seed, seconds: 300, kinds: all })).join('\n');
    expect(new Set([1, 2, 3, 4].map(lines)).size).toBe(4);
  });

  test('has every kind in a long run, and only those that were asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.subarray(all, { minLength: 1 }), (seed, kinds) => {
        const found = new Set<KindName>();
        for (const { faults } of schedule({ seed, seconds: 600, kinds }))
          for (const { kind } of faults) found.add(kind);
        expect([...found].toSorted()).toEqual([...kinds].toSorted());
      }),
    );
  });

  test('leaves what was broken the time to recover before the next step, and the load calm at both ends', () => {
    fc.assert(
      fc.property(anyOptions, (options) => {
        let free = CALM_MS;
        for (const { faults, untilMs } of schedule(options)) {
          for (const { kind, atMs, outageMs } of faults) {
            expect(atMs).toBeGreaterThanOrEqual(free);
            expect(untilMs).toBeGreaterThanOrEqual(atMs + outageMs + KINDS[kind].recoverMs);
            expect(outageMs).toBeGreaterThanOrEqual(KINDS[kind].outageMs[0]);
            expect(outageMs).toBeLessThanOrEqual(KINDS[kind].outageMs[1]);
          }
          free = untilMs;
        }
        expect(free).toBeLessThanOrEqual(Math.max(CALM_MS, options.seconds * 1000 - CALM_MS));
      }),
    );
  });

  test('hits a second part only while the first is broken, and then a process', () => {
    fc.assert(
      fc.property(anyOptions, (options) => {
        for (const { faults } of schedule(options)) {
          const [main, companion, ...more] = faults;
          expect(more).toEqual([]);
          if (companion === undefined) continue;
          expect(KINDS[main!.kind].area).not.toBe('process');
          expect(KINDS[companion.kind].area).toBe('process');
          expect(companion.atMs).toBeLessThanOrEqual(main!.atMs + main!.outageMs);
        }
      }),
    );
  });

  test('fills its time: a five-minute run has thirty faults and more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (seed) => {
        const kinds = kindsFor({ cluster: false });
        const faults = schedule({ seed, seconds: 300, kinds }).flatMap((step) => step.faults);
        expect(faults.length).toBeGreaterThanOrEqual(30);
        expect(faults.map(({ kind }) => kind)).not.toContain('kill-leader');
      }),
    );
  });

  test('names targets that there are', () => {
    const roles = INSTANCES.map((name) => name.split('-')[0]!);
    for (const { faults } of schedule({ seed: 5, seconds: 3_600, kinds: all }))
      for (const { kind, target } of faults)
        expect(
          [...INSTANCES, ...roles, undefined].includes(target as never) &&
            (target === undefined) === (KINDS[kind].target === 'none'),
        ).toBe(true);
    expect(INSTANCES).toEqual(expect.arrayContaining([...RELAYS]));
  });
});
