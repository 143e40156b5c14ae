import type { CanaryPhase } from '@keelson/contracts';
import type { CanaryResource, CanaryStatus, Condition } from '@keelson/kubernetes';
import { wholeReason, type ReleaseState } from '../release/state.ts';

/** `kubectl wait --for=condition=...` works on these. */
const CONDITIONS: readonly { readonly type: string; readonly trueIn: readonly CanaryPhase[] }[] = [
  { type: 'Ready', trueIn: ['Promoted'] },
  { type: 'Progressing', trueIn: ['Pending', 'Progressing', 'Paused', 'Promoting', 'RollingBack'] },
  { type: 'Promoted', trueIn: ['Promoted'] },
  { type: 'RolledBack', trueIn: ['RolledBack'] },
];

/**
 * The status subresource of a Canary from where its release stands. A condition keeps its time until it turns.
 *
 * observedGeneration is the generation that this release is of, not the newest that was seen: `kubectl wait` must not take
 * the promotion of the version before for that of a change which the controller has yet to begin.
 */
export function canaryStatus(canary: CanaryResource, state: ReleaseState): CanaryStatus {
  const reason = wholeReason(state).slice(0, 1024);
  const before = new Map((canary.status?.conditions ?? []).map((condition) => [condition.type, condition]));
  const conditions = CONDITIONS.map(({ type, trueIn }): Condition => {
    const status = trueIn.includes(state.phase) ? 'True' : 'False';
    const old = before.get(type);
    return {
      type,
      status,
      observedGeneration: state.release,
      lastTransitionTime: old?.status === status ? old.lastTransitionTime : toSeconds(state.since),
      reason: state.phase,
      message: reason,
    };
  });
  return {
    phase: state.phase,
    reason,
    step: state.step,
    weight: state.weight,
    release: state.release,
    since: toSeconds(state.since),
    observedGeneration: state.release,
    evidence: state.evidence.map((item) => ({ ...item, events: item.events?.slice(0, 3) })),
    conditions,
  };
}

/** metav1.Time has whole seconds. */
const toSeconds = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;
