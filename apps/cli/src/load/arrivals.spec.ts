import fc from 'fast-check';
import { arrivals, PROFILES } from './arrivals.ts';

const anyLoad = fc.record({
  profile: fc.constantFrom(...PROFILES),
  rate: fc.integer({ min: 1, max: 2_000 }),
  seconds: fc.integer({ min: 1, max: 30 }),
});

/** What the area below the rate is, as a share of rate x time. */
const share = { steady: 1, ramp: 0.5, spike: (0.1 + 1 + 0.1) / 3 } as const;

describe('arrival times', () => {
  test('are in order, inside the time, and as many as the profile asks for', () => {
    fc.assert(
      fc.property(anyLoad, (load) => {
        const times = [...arrivals(load)];
        const wanted = load.rate * load.seconds * share[load.profile];
        expect(Math.abs(times.length - wanted)).toBeLessThanOrEqual(1);
        expect(times.every((at, index) => at >= (times[index - 1] ?? 0) && at <= load.seconds * 1000)).toBe(true);
      }),
    );
  });

  test('never come faster than the rate', () => {
    fc.assert(
      fc.property(anyLoad, (load) => {
        const times = [...arrivals(load)];
        // Over any second at most as many as the rate, and one for the edges.
        let most = 0;
        for (let from = 0, to = 0; from < times.length; from += 1) {
          while (to < times.length && times[to]! < times[from]! + 1000) to += 1;
          most = Math.max(most, to - from);
        }
        expect(most).toBeLessThanOrEqual(load.rate + 1);
      }),
      { numRuns: 30 },
    );
  });

  const cases = [
    { profile: 'steady', inThirds: [100, 100, 100] },
    { profile: 'ramp', inThirds: [17, 50, 83] },
    { profile: 'spike', inThirds: [10, 100, 10] },
  ] as const;
  test.each(cases)('$profile: 100 a second over 3 s are $inThirds in each second', ({ profile, inThirds }) => {
    const times = [...arrivals({ profile, rate: 100, seconds: 3 })];
    for (const [third, wanted] of inThirds.entries()) {
      const found = times.filter((at) => Math.floor(at / 1000 + 1e-9) === third).length;
      expect(Math.abs(found - wanted)).toBeLessThanOrEqual(1);
    }
  });
});
