import type { CanaryResource } from '@keelson/kubernetes';
import type { CanaryIdentity } from '../history/release.repository.ts';

/** Label that says whose Canary it is; one without belongs to the platform. */
export const TEAM_LABEL = 'keelson.dev/team';

/** What tells this Canary from others. The uid, not the name: one that is removed and made anew is another. */
export function identityOf(canary: CanaryResource): CanaryIdentity {
  const { uid, namespace, name, labels } = canary.metadata;
  if (uid === undefined || namespace === undefined || name === undefined) {
    throw new Error('a Canary from the API server has uid, namespace and name');
  }
  return { id: uid, namespace, name, team: labels?.[TEAM_LABEL] ?? 'platform' };
}
