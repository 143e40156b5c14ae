import type { JournalEvent } from '@keelson/contracts';

/** An event on its way into the journal: all but what the journal itself gives it. */
export interface NewEntry extends Omit<JournalEvent, 'sequence' | 'id' | 'delta' | 'receivedAt'> {
  /** Whose it is; `platform` for what belongs to no team. */
  readonly team: string;
  /** The same observation has the same key, so that reading it twice stores it once. */
  readonly dedupeKey: string;
  /** What counts of one and the same event are compared under; absent where a source has no running count. */
  readonly seriesKey?: string;
  /** The event as its source gave it, for sinks that pass it on unchanged. */
  readonly original: unknown;
}

/** An entry as sinks get it. */
export interface JournalEntry extends JournalEvent {
  readonly team: string;
  readonly original: unknown;
}
