import type { JournalEvent } from '@keelson/contracts';
import type { JournalEntry } from './entry.ts';

/** A row of the table `journal`; bigint columns come as text. */
export interface JournalRow {
  sequence: string;
  id: string;
  team: string;
  source: JournalEvent['source'];
  cluster: string;
  type: JournalEvent['type'];
  reason: string;
  message: string;
  object: JournalEvent['object'];
  reporter: string;
  node: string | null;
  labels: Record<string, string>;
  count: string;
  delta: string;
  first_seen: Date;
  last_seen: Date;
  received_at: Date;
  original: unknown;
}

export function toEntry(row: JournalRow): JournalEntry {
  return { ...toEvent(row), team: row.team, original: row.original };
}

export function toEvent(row: JournalRow): JournalEvent {
  return {
    sequence: Number(row.sequence),
    id: row.id,
    source: row.source,
    cluster: row.cluster,
    type: row.type,
    reason: row.reason,
    message: row.message,
    object: row.object,
    reporter: row.reporter,
    ...(row.node === null ? {} : { node: row.node }),
    labels: row.labels,
    count: Number(row.count),
    delta: Number(row.delta),
    firstSeen: row.first_seen.toISOString(),
    lastSeen: row.last_seen.toISOString(),
    receivedAt: row.received_at.toISOString(),
  };
}
