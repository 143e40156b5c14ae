import type { CanarySpec } from '@keelson/contracts';
import { isFinished, type Verdict } from './decide.ts';
import type { ReleaseState } from './state.ts';

/**
 * How a release ends whose Canary was removed under it, once our Ingress is gone: by then the user's Ingress alone says
 * where the traffic goes. Undefined where it was over. Pure, like decide.
 *
 * @param backend Service that the user's Ingress sends the route to; undefined where it carries the route no longer
 */
export function endRemoved(
  spec: CanarySpec,
  state: ReleaseState,
  backend: string | undefined,
  now: Date,
): Verdict | undefined {
  if (isFinished(state)) return undefined;
  const promoted = backend === spec.canary.service;
  const where =
    backend === undefined ? `Ingress ${spec.route.ingress} has no such route` : `its traffic goes to ${backend}`;
  const reason = `the Canary was removed during the release; ${where}`;
  const next: ReleaseState = {
    ...state,
    phase: promoted ? 'Promoted' : 'RolledBack',
    weight: promoted ? 100 : 0,
    since: now,
    reason,
    trouble: undefined,
  };
  return { next, decision: { act: promoted ? 'promoted' : 'rolled-back', reason, evidence: state.evidence } };
}
