import type { JournalEvent } from '@keelson/contracts';
import type { Match } from './rules.ts';

/** Whether a sink with this rule gets the event. */
export function matches(match: Match, event: JournalEvent): boolean {
  const one = (allowed: readonly string[] | undefined, value: string | undefined) =>
    allowed === undefined || (value !== undefined && allowed.includes(value));
  return (
    one(match.types, event.type) &&
    one(match.sources, event.source) &&
    one(match.namespaces, event.object.namespace) &&
    one(match.kinds, event.object.kind) &&
    one(match.reasons, event.reason) &&
    one(match.clusters, event.cluster) &&
    !(match.excludeReasons ?? []).includes(event.reason)
  );
}
