import type { JournalEntry } from '../../journal/entry.ts';

/** A journal entry as a CloudEvent 1.0 in JSON; the same entry has the same id, so that a receiver can see doubles. */
export function cloudEvent(entry: JournalEntry): Record<string, unknown> {
  const { original: _original, team: _team, ...data } = entry;
  const { namespace, kind, name } = entry.object;
  return {
    specversion: '1.0',
    id: entry.id,
    source: `/clusters/${encodeURIComponent(entry.cluster)}`,
    type: `dev.keelson.event.${entry.source}.v1`,
    subject: [namespace, kind, name].filter(Boolean).join('/'),
    time: entry.lastSeen,
    datacontenttype: 'application/json',
    data,
  };
}
