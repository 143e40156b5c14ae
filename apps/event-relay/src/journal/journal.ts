import { EventEmitter } from 'node:events';
import type { Database, Tx } from '@keelson/persistence';
import type { JournalEntry, NewEntry } from './entry.ts';
import { toEntry, type JournalRow } from './row.ts';

/** Advisory lock that appends hold until they commit: ASCII "journal", so that it is ours in pg_locks. */
const APPEND_LOCK = 0x6a6f75726e616cn;

/** The journal: every event once, in an order that never changes. The source of truth of all deliveries. */
export class Journal {
  readonly #database: Database;
  readonly #clock: { now(): Date };
  readonly #appended = new EventEmitter().setMaxListeners(0);

  constructor(database: Database, clock: { now(): Date }) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Appends in a transaction of its own; returns how many were new. */
  append(entries: readonly NewEntry[]): Promise<number> {
    return this.#database.transaction((tx) => this.appendIn(tx, entries));
  }

  /**
   * Appends as part of a transaction (a watch stores its resourceVersion in the same one). What is there already is
   * passed over. `delta` is the growth of the running count since the entry before of the same series; a count that
   * fell was begun anew.
   */
  async appendIn(tx: Tx, entries: readonly NewEntry[]): Promise<number> {
    if (entries.length === 0) return 0;
    await tx.query('SELECT pg_advisory_xact_lock($1)', [APPEND_LOCK.toString()]);
    const known = await this.#known(tx, entries);
    const fresh = [
      ...new Map(entries.filter((entry) => !known.has(entry.dedupeKey)).map((e) => [e.dedupeKey, e])).values(),
    ];
    if (fresh.length === 0) return 0;
    const counts = await this.#counts(tx, fresh);
    const receivedAt = this.#clock.now();
    const rows = fresh.map((entry) => {
      const before = entry.seriesKey === undefined ? 0 : (counts.get(entry.seriesKey) ?? 0);
      if (entry.seriesKey !== undefined) counts.set(entry.seriesKey, entry.count);
      // An older observation that arrives late adds nothing to the count.
      const delta = entry.count > before ? entry.count - before : entry.count < before ? entry.count : 1;
      return { ...entry, delta, receivedAt };
    });
    await this.#insert(tx, rows);
    await this.#rememberCounts(tx, rows);
    tx.afterCommit(() => this.#appended.emit('appended'));
    return rows.length;
  }

  /** Calls back after every append of this process; another replica's are found by looking. Returns how to end it. */
  onAppend(wake: () => void): () => void {
    this.#appended.on('appended', wake);
    return () => void this.#appended.off('appended', wake);
  }

  /** Entries after a sequence, in order; with what sinks need. */
  async after(sequence: number, limit: number, until?: number): Promise<JournalEntry[]> {
    const rows = await this.#database.query<JournalRow>(
      'SELECT * FROM journal WHERE sequence > $1 AND ($3::bigint IS NULL OR sequence <= $3) ORDER BY sequence LIMIT $2',
      [sequence, limit, until ?? null],
    );
    return rows.map(toEntry);
  }

  async find(sequence: number): Promise<JournalEntry | undefined> {
    const rows = await this.#database.query<JournalRow>('SELECT * FROM journal WHERE sequence = $1', [sequence]);
    return rows[0] && toEntry(rows[0]);
  }

  /** Sequence of the newest entry, 0 where there is none. */
  async head(): Promise<number> {
    const rows = await this.#database.query<{ head: string | null }>('SELECT max(sequence) AS head FROM journal');
    return Number(rows[0]?.head ?? 0);
  }

  /** Removes entries received before then that all of these sinks have passed, `limit` at most; returns how many. */
  async prune(before: Date, limit: number, sinks: readonly string[]): Promise<number> {
    return this.#database.execute(
      `DELETE FROM journal WHERE sequence IN (
         SELECT sequence FROM journal WHERE received_at < $1
            AND sequence <= (SELECT coalesce(min(cursor), 9223372036854775807) FROM sink_cursors WHERE sink = ANY($3))
          ORDER BY sequence LIMIT $2)`,
      [before, limit, sinks],
    );
  }

  async #known(tx: Tx, entries: readonly NewEntry[]): Promise<Set<string>> {
    const rows = await tx.query<{ dedupe_key: string }>('SELECT dedupe_key FROM journal WHERE dedupe_key = ANY($1)', [
      entries.map((entry) => entry.dedupeKey),
    ]);
    return new Set(rows.map((row) => row.dedupe_key));
  }

  async #counts(tx: Tx, entries: readonly NewEntry[]): Promise<Map<string, number>> {
    const keys = entries.map((entry) => entry.seriesKey).filter((key) => key !== undefined);
    if (keys.length === 0) return new Map();
    const rows = await tx.query<{ series_key: string; count: string }>(
      'SELECT series_key, count FROM event_series WHERE series_key = ANY($1)',
      [keys],
    );
    return new Map(rows.map((row) => [row.series_key, Number(row.count)]));
  }

  async #insert(tx: Tx, rows: readonly (NewEntry & { delta: number; receivedAt: Date })[]): Promise<void> {
    await tx.query(
      `INSERT INTO journal (dedupe_key, team, source, cluster, type, reason, message, kind, namespace, name, object, reporter,
                            node, labels, count, delta, first_seen, last_seen, received_at, original)
       SELECT r->>'dedupeKey', r->>'team', r->>'source', r->>'cluster', r->>'type', r->>'reason', r->>'message',
              r->'object'->>'kind', r->'object'->>'namespace', r->'object'->>'name', r->'object', r->>'reporter',
              r->>'node', r->'labels', (r->>'count')::bigint, (r->>'delta')::bigint, (r->>'firstSeen')::timestamptz,
              (r->>'lastSeen')::timestamptz, (r->>'receivedAt')::timestamptz, r->'original'
         FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS t(r, n)
        ORDER BY n`,
      [JSON.stringify(rows)],
    );
  }

  async #rememberCounts(tx: Tx, rows: readonly NewEntry[]): Promise<void> {
    const latest = new Map(rows.filter((row) => row.seriesKey !== undefined).map((row) => [row.seriesKey!, row]));
    if (latest.size === 0) return;
    await tx.query(
      `INSERT INTO event_series (series_key, count, last_seen)
       SELECT k, c, s FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS t(k, c, s)
       ON CONFLICT (series_key) DO UPDATE SET count = excluded.count, last_seen = excluded.last_seen`,
      [
        [...latest.keys()],
        [...latest.values()].map((row) => row.count),
        [...latest.values()].map((row) => row.lastSeen),
      ],
    );
  }
}
