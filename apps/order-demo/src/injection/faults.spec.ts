import { Faults } from './faults.ts';

const plan = { errorRate: 0, latencyMs: 0, crashAfterSeconds: 0, seed: 1 };
const failures = (faults: Faults, count: number) =>
  Array.from({ length: count }, () => faults.nextFails()).filter(Boolean).length;

describe('injected faults', () => {
  test('the share of failures is the rate, within a percent point over 20,000 orders', () => {
    expect(failures(new Faults({ ...plan, errorRate: 0.12 }), 20_000) / 20_000).toBeCloseTo(0.12, 2);
  });

  test.each([
    { rate: 0, failed: 0 },
    { rate: 1, failed: 1000 },
  ])('rate $rate fails $failed of 1000', ({ rate, failed }) => {
    expect(failures(new Faults({ ...plan, errorRate: rate }), 1000)).toBe(failed);
  });

  test('the same seed gives the same faults, another seed others', () => {
    const run = (seed: number) => {
      const faults = new Faults({ ...plan, errorRate: 0.5, seed });
      return Array.from({ length: 64 }, () => faults.nextFails());
    };
    expect(run(7)).toEqual(run(7));
    expect(run(7)).not.toEqual(run(8));
  });

  test('the crash comes between half and one and a half of the time asked for, or never', () => {
    expect(new Faults(plan).crashAfterMs).toBeUndefined();
    for (let seed = 0; seed < 200; seed += 1) {
      const { crashAfterMs } = new Faults({ ...plan, crashAfterSeconds: 10, seed });
      expect(crashAfterMs).toBeGreaterThanOrEqual(5_000);
      expect(crashAfterMs).toBeLessThan(15_000);
    }
  });
});
