import type { JournalEntry, NewEntry } from './entry.ts';

let made = 0;

/** A Warning about a pod; a test states only what matters to it. Each has a dedupe key of its own. */
export function aNewEntry(changes: Partial<NewEntry> = {}): NewEntry {
  made += 1;
  return {
    team: 'platform',
    source: 'kubernetes',
    cluster: 'test',
    type: 'Warning',
    reason: 'BackOff',
    message: 'Back-off restarting failed container',
    object: { kind: 'Pod', namespace: 'shop', name: 'shop-v2-7d9f8c6b5-x2x4z', uid: 'u-1' },
    reporter: 'kubelet',
    node: 'node-1',
    labels: {},
    count: 1,
    firstSeen: '2026-03-01T12:00:00.000Z',
    lastSeen: '2026-03-01T12:00:10.000Z',
    dedupeKey: `test/${made}`,
    original: { metadata: { uid: `event-${made}` } },
    ...changes,
  };
}

/** The same as it comes out of the journal. */
export function anEntry(changes: Partial<JournalEntry> = {}): JournalEntry {
  const { dedupeKey: _key, seriesKey: _series, ...entry } = aNewEntry();
  return {
    ...entry,
    sequence: 7,
    id: '0190a5f0-0000-7000-8000-000000000007',
    delta: 1,
    receivedAt: '2026-03-01T12:00:11.000Z',
    ...changes,
  };
}
