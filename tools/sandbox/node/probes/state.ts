import type { Probe } from '../kubernetes-objects.ts';

/**
 * A probe's state machine, as kubelet's prober worker has it: entered when the container starts, left when it ends.
 * A verdict changes only after `failureThreshold` failures or `successThreshold` successes in a row. After a verdict of
 * failure a startup or liveness probe holds still (`onHold`) until the container is restarted.
 */
export type ProbeKind = 'startup' | 'readiness' | 'liveness';
export type ProbeVerdict = 'unknown' | 'success' | 'failure';
export type ProbeState = {
  verdict: ProbeVerdict;
  last: 'success' | 'failure' | undefined;
  run: number;
  onHold: boolean;
};

export type ProbeTiming = {
  initialDelayMs: number;
  periodMs: number;
  timeoutMs: number;
  successThreshold: number;
  failureThreshold: number;
};

/** Kubernetes' defaults: every 10 s, 1 s to answer, 1 success, 3 failures. */
export const timingOf = (probe: Probe): ProbeTiming => ({
  initialDelayMs: (probe.initialDelaySeconds ?? 0) * 1000,
  periodMs: (probe.periodSeconds || 10) * 1000,
  timeoutMs: (probe.timeoutSeconds || 1) * 1000,
  successThreshold: probe.successThreshold || 1,
  failureThreshold: probe.failureThreshold || 3,
});

/** A readiness probe begins at failure (not ready until proved), liveness at success, startup at unknown. */
export const initialProbeState = (kind: ProbeKind): ProbeState => ({
  verdict: kind === 'readiness' ? 'failure' : kind === 'liveness' ? 'success' : 'unknown',
  last: undefined,
  run: 0,
  onHold: false,
});

/** Takes one result in. Pure; the caller acts when the verdict has changed. */
export function nextProbeState(
  kind: ProbeKind,
  timing: Pick<ProbeTiming, 'successThreshold' | 'failureThreshold'>,
  state: ProbeState,
  result: 'success' | 'failure',
): ProbeState {
  if (state.onHold) return state;
  const run = state.last === result ? state.run + 1 : 1;
  const enough = run >= (result === 'success' ? timing.successThreshold : timing.failureThreshold);
  if (!enough) return { ...state, last: result, run };
  const onHold = result === 'failure' ? kind !== 'readiness' : kind === 'startup';
  return { verdict: result, last: result, run: onHold ? 0 : run, onHold };
}
