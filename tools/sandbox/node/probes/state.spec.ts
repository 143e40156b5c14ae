import fc from 'fast-check';
import { initialProbeState, nextProbeState, timingOf, type ProbeKind, type ProbeState } from './state.ts';

const timing = { successThreshold: 2, failureThreshold: 3 };

function play(kind: ProbeKind, results: string, limits = timing): ProbeState {
  let state = initialProbeState(kind);
  for (const r of results) state = nextProbeState(kind, limits, state, r === '+' ? 'success' : 'failure');
  return state;
}

describe('a probe', () => {
  test.each<[ProbeKind, string, ProbeState['verdict'], boolean]>([
    ['readiness', '', 'failure', false],
    ['readiness', '+', 'failure', false],
    ['readiness', '++', 'success', false],
    ['readiness', '++--', 'success', false],
    ['readiness', '++--+-', 'success', false],
    ['readiness', '++---', 'failure', false],
    ['readiness', '++---++', 'success', false],
    ['liveness', '', 'success', false],
    ['liveness', '--', 'success', false],
    ['liveness', '---', 'failure', true],
    ['liveness', '---+++', 'failure', true],
    ['startup', '', 'unknown', false],
    ['startup', '--++', 'success', true],
    ['startup', '---', 'failure', true],
  ])('%s after "%s" says %s (on hold: %s)', (kind, results, verdict, onHold) => {
    expect(play(kind, results)).toMatchObject({ verdict, onHold });
  });

  test('readiness changes only after a full run of equal results', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        (results, successThreshold, failureThreshold) => {
          const limits = { successThreshold, failureThreshold };
          let state = initialProbeState('readiness');
          for (const [i, ok] of results.entries()) {
            const next = nextProbeState('readiness', limits, state, ok ? 'success' : 'failure');
            if (next.verdict !== state.verdict) {
              const needed = ok ? successThreshold : failureThreshold;
              const run = results.slice(Math.max(0, i + 1 - needed), i + 1);
              expect(run).toHaveLength(needed);
              expect(run.every((r) => r === ok)).toBe(true);
            }
            state = next;
          }
        },
      ),
    );
  });

  test('takes the defaults of Kubernetes', () => {
    expect(timingOf({})).toEqual({
      initialDelayMs: 0,
      periodMs: 10_000,
      timeoutMs: 1000,
      successThreshold: 1,
      failureThreshold: 3,
    });
  });
});
