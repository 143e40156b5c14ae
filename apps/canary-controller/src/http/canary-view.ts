import { canarySpecSchema, type Canary } from '@keelson/contracts';
import type { CanaryResource } from '@keelson/kubernetes';
import { identityOf } from '../reconcile/identity.ts';
import { wholeReason, type ReleaseState } from '../release/state.ts';

/** A Canary as HTTP shows it: the resource with where its release stands; Pending where nobody has looked at it yet. */
export function canaryView(canary: CanaryResource, state: ReleaseState | undefined): Canary {
  const { id, namespace, name, team } = identityOf(canary);
  return {
    id,
    namespace,
    name,
    team,
    spec: canarySpecSchema.parse(canary.spec),
    phase: state?.phase ?? 'Pending',
    reason: state ? wholeReason(state) : 'not looked at yet',
    release: state?.release ?? canary.metadata.generation ?? 1,
    step: state?.step ?? -1,
    weight: state?.weight ?? 0,
    since: (state?.since ?? new Date(canary.metadata.creationTimestamp ?? 0)).toISOString(),
    evidence: [...(state?.evidence ?? [])],
  };
}
