import type { Lease } from './resources.ts';

/** What a candidate saw, and when on its own monotonic clock (milliseconds). Other machines' clocks are never read. */
export type Observation = { resourceVersion: string; holder: string; durationMs: number; at: number };

/** Notes a lease; the time only moves on when the lease did. */
export function observe(lease: Lease, before: Observation | undefined, nowMs: number): Observation {
  const resourceVersion = lease.metadata?.resourceVersion ?? '';
  if (before !== undefined && before.resourceVersion === resourceVersion) return before;
  return {
    resourceVersion,
    holder: lease.spec?.holderIdentity ?? '',
    durationMs: (lease.spec?.leaseDurationSeconds ?? 0) * 1000,
    at: nowMs,
  };
}

/** `free`: given back; `expired`: its holder did not renew for the whole duration while this candidate watched. */
export type Standing = 'free' | 'mine' | 'held' | 'expired';

export function standing(seen: Observation, identity: string, nowMs: number): Standing {
  if (seen.holder === '') return 'free';
  if (seen.holder === identity) return 'mine';
  return nowMs - seen.at >= seen.durationMs ? 'expired' : 'held';
}

/** The lease as `identity` would write it. Times in it are for readers; nothing here depends on them. */
export function claimed(
  lease: Lease | undefined,
  identity: string,
  durationMs: number,
  now: Date,
): Lease['spec'] & object {
  const held = lease?.spec?.holderIdentity === identity;
  const time = microTime(now);
  return {
    ...lease?.spec,
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(durationMs / 1000),
    acquireTime: held ? (lease?.spec?.acquireTime ?? time) : time,
    renewTime: time,
    leaseTransitions: (lease?.spec?.leaseTransitions ?? 0) + (held || lease === undefined ? 0 : 1),
  };
}

/** Given back: the next candidate need not wait. */
export function released(lease: Lease, now: Date): Lease {
  return { ...lease, spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(now) } };
}

/** meta/v1 MicroTime. */
function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
