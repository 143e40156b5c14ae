import fc from 'fast-check';
import { afterRestart, mayRestartAt, type BackOff } from './back-off.ts';

const limits = { baseMs: 10_000, maxMs: 300_000 };

/** The delays of a container that always ends `runsMs` after its start. */
function delays(runsMs: number, restarts: number): number[] {
  const out: number[] = [];
  let backOff: BackOff | undefined;
  let now = 0;
  for (let i = 0; i < restarts; i++) {
    const finishedAt = now + runsMs;
    const at = mayRestartAt(backOff, finishedAt, limits);
    out.push(at - finishedAt);
    backOff = afterRestart(backOff, finishedAt, at, limits);
    now = at;
  }
  return out;
}

describe('crash-loop back-off', () => {
  test('restarts at once, then doubles from ten seconds to five minutes', () => {
    expect(delays(100, 8)).toEqual([0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  });

  test('starts over after the container ran for more than ten minutes', () => {
    expect(delays(600_001, 3)).toEqual([0, 0, 0]);
    expect(delays(600_000, 3)).toEqual([0, 10_000, 20_000]);
  });

  test('never shrinks while it crashes, and never exceeds the maximum', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300_000 }), fc.integer({ min: 1, max: 30 }), (runs, restarts) => {
        const all = delays(runs, restarts);
        for (const [i, delay] of all.entries()) {
          expect(delay).toBeLessThanOrEqual(limits.maxMs);
          if (i > 0) expect(delay).toBeGreaterThanOrEqual(all[i - 1] ?? 0);
        }
      }),
    );
  });
});
