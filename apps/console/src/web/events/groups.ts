import type { JournalEvent } from '@keelson/contracts';

/** Entries of the journal that tell of the same thing happening again. */
export interface EventGroup {
  /** The newest of them. */
  readonly latest: JournalEvent;
  /** How many entries of those that were looked at. */
  readonly entries: number;
}

/** Puts entries about the same object, reason and reporter together; the order is that of the newest of each. */
export function groupEvents(events: readonly JournalEvent[]): EventGroup[] {
  const groups = new Map<string, { latest: JournalEvent; entries: number }>();
  for (const event of events) {
    const { source, cluster, type, reason, reporter, object } = event;
    const key = JSON.stringify([source, cluster, type, reason, reporter, object.kind, object.namespace, object.name]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { latest: event, entries: 1 });
    else {
      group.entries += 1;
      if (event.sequence > group.latest.sequence) group.latest = event;
    }
  }
  return [...groups.values()].toSorted((a, b) => b.latest.sequence - a.latest.sequence);
}
