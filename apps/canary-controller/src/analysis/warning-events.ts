import type { CanarySpec, Evidence, JournalEvent } from '@keelson/contracts';

/** A generated name is cut to this many characters before its five random ones (apiserver storage/names). */
const GENERATED_BASE = 58;

/** With what the names of a Deployment's pods begin. */
export const podNamePrefix = (deployment: string): string => `${deployment}-`.slice(0, GENERATED_BASE);

/**
 * Whether a pod was made by this Deployment: `<deployment>-<pod-template-hash>-<5 characters>`, cut where that is long.
 * The names alone tell, also for pods that are gone, and `shop-v2` does not take the pods of `shop-v2-batch` for its own.
 */
export function isPodOf(deployment: string, pod: string): boolean {
  const prefix = podNamePrefix(deployment);
  if (!pod.startsWith(prefix)) return false;
  const rest = pod.slice(prefix.length);
  // Both parts come from Kubernetes' alphabet without vowels and look-alikes (apimachinery util/rand).
  if (/^[bcdfghjklmnpqrstvwxz2456789]{1,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$/.test(rest)) return true;
  return pod.length === GENERATED_BASE + 5 && /^[bcdfghjklmnpqrstvwxz2456789]{5,15}$/.test(rest);
}

/** What event-relay knows; not `complete` where there is more than was read. */
export interface FoundEvents {
  readonly events: readonly JournalEvent[];
  readonly complete: boolean;
}

/** Judges the Warning events of the new version's own pods since traffic reached it. */
export function judgeWarningEvents(
  { events, complete }: FoundEvents,
  deployment: string,
  guard: CanarySpec['analysis']['warningEvents'],
  since: Date,
): Evidence {
  const own = events.filter(
    (event) =>
      event.type === 'Warning' &&
      event.object.kind === 'Pod' &&
      isPodOf(deployment, event.object.name) &&
      Date.parse(event.lastSeen) >= since.getTime() &&
      !guard.ignoreReasons.includes(event.reason),
  );
  const total = own.reduce((sum, event) => sum + event.delta, 0);
  const reasons = [...new Set(own.map((event) => event.reason))].join(', ');
  const summary =
    total === 0
      ? `no Warning events of the pods of ${deployment}`
      : `${total} Warning event${total === 1 ? '' : 's'} of the pods of ${deployment} (${reasons}); ${guard.max} allowed`;
  return {
    check: 'warning-events',
    outcome: total > guard.max ? 'fail' : complete ? 'pass' : 'inconclusive',
    summary: complete || total > guard.max ? summary : `${summary} among the newest ${events.length}; there are more`,
    value: total,
    threshold: guard.max,
    events: own.slice(0, 20).map((event) => ({
      reason: event.reason,
      message: event.message.slice(0, 500),
      object: event.object.name,
      count: event.delta,
      lastSeen: event.lastSeen,
    })),
  };
}
