import { EventEmitter } from 'node:events';
import type { Database, Tx } from '@keelson/persistence';
import { deltaOf, latest, type SeriesState } from './delta.ts';
import type { JournalEntry, NewEntry } from './entry.ts';
import { toEntry, type JournalRow } from './row.ts';
import { storable } from './storable.ts';

/** Advisory lock that appends hold until they commit: ASCII "journal", so that it is ours in pg_locks. */
const APPEND_LOCK = 0x6a6f75726e616cn;

/** Whatever runs a statement: the database, or the connection that holds a lock. */
export interface Reader {
  query<T>(sql: string, params?: readonly unknown[]): Promise<T[]>;
}

/** A part of the journal. */
export interface Stretch {
  /** Last sequence of it. */
  readonly until?: number | undefined;
  /** Only what was last seen in this time, RFC 3339. */
  readonly since?: string | undefined;
  readonly before?: string | undefined;
}

/** The journal: every event once, in an order that never changes. The source of truth of all deliveries. */
export class Journal {
  readonly #database: Database;
  readonly #appended = new EventEmitter().setMaxListeners(0);

  constructor(database: Database) {
    this.#database = database;
  }

  /** Appends in a transaction of its own; returns how many were new. */
  append(entries: readonly NewEntry[]): Promise<number> {
    return this.#database.transaction((tx) => this.appendIn(tx, entries));
  }

  /**
   * Appends as part of a transaction (a watch stores its resourceVersion in the same one). What is there already is
   * passed over. `delta` is the growth of the running count since the entry before of the same series, see
   * {@link deltaOf}. The time of receipt is the database's, so that no clock of a replica decides what is old.
   */
  async appendIn(tx: Tx, entries: readonly NewEntry[]): Promise<number> {
    if (entries.length === 0) return 0;
    await tx.query('SELECT pg_advisory_xact_lock($1)', [APPEND_LOCK.toString()]);
    const wanted = new Map(entries.map((entry) => [storable(entry.dedupeKey), entry]));
    for (const key of await this.#known(tx, [...wanted.keys()])) wanted.delete(key);
    const fresh = [...wanted.values()];
    if (fresh.length === 0) return 0;
    const counts = await this.#counts(tx, fresh);
    const rows = fresh.map((entry) => {
      if (entry.seriesKey === undefined) return { entry, delta: entry.count };
      const known = counts.get(entry.seriesKey);
      counts.set(entry.seriesKey, latest(entry, known));
      return { entry, delta: deltaOf(entry, known) };
    });
    await this.#insert(tx, rows);
    await this.#rememberCounts(tx, counts);
    tx.afterCommit(() => this.#appended.emit('appended'));
    return rows.length;
  }

  /** Calls back after every append of this process; another replica's are found by looking. Returns how to end it. */
  onAppend(wake: () => void): () => void {
    this.#appended.on('appended', wake);
    return () => void this.#appended.off('appended', wake);
  }

  /** Entries after a sequence, in order; with what sinks need. */
  async after(
    sequence: number,
    limit: number,
    { until, since, before }: Stretch = {},
    reader: Reader = this.#database,
  ): Promise<JournalEntry[]> {
    const rows = await reader.query<JournalRow>(
      `SELECT * FROM journal
        WHERE sequence > $1 AND sequence <= $3 AND last_seen >= $4 AND last_seen <= $5
        ORDER BY sequence LIMIT $2`,
      [sequence, limit, until ?? Number.MAX_SAFE_INTEGER, since ?? '-infinity', before ?? 'infinity'],
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

  /**
   * Removes entries that were received more than so many days ago and that all of these sinks, and their replays, have
   * passed; `limit` at most. Returns how many. By the database's clock: a replica whose clock jumps ahead removes nothing.
   */
  async prune(days: number, limit: number, sinks: readonly string[]): Promise<number> {
    return this.#database.execute(
      `DELETE FROM journal WHERE sequence IN (
         SELECT sequence FROM journal
          WHERE received_at < now() - make_interval(secs => $1)
            AND sequence <= (SELECT coalesce(min(cursor), 9223372036854775807) FROM (
                  SELECT cursor FROM sink_cursors WHERE sink = ANY($3)
                   UNION ALL SELECT cursor FROM replays WHERE sink = ANY($3)) AS readers)
          ORDER BY sequence LIMIT $2)`,
      [days * 86_400, limit, sinks],
    );
  }

  /** Removes running counts that were not seen for so many days, `limit` at most; returns how many. */
  async pruneCounts(days: number, limit: number): Promise<number> {
    return this.#database.execute(
      `DELETE FROM event_series WHERE series_key IN (
         SELECT series_key FROM event_series WHERE last_seen < now() - make_interval(secs => $1) LIMIT $2)`,
      [days * 86_400, limit],
    );
  }

  async #known(tx: Tx, keys: readonly string[]): Promise<string[]> {
    const rows = await tx.query<{ dedupe_key: string }>('SELECT dedupe_key FROM journal WHERE dedupe_key = ANY($1)', [
      keys,
    ]);
    return rows.map((row) => row.dedupe_key);
  }

  async #counts(tx: Tx, entries: readonly NewEntry[]): Promise<Map<string, SeriesState>> {
    const keys = entries.map((entry) => entry.seriesKey).filter((key) => key !== undefined);
    if (keys.length === 0) return new Map();
    const rows = await tx.query<{ series_key: string; count: string; last_seen: Date }>(
      'SELECT series_key, count, last_seen FROM event_series WHERE series_key = ANY($1)',
      [keys],
    );
    return new Map(
      rows.map((row) => [row.series_key, { count: Number(row.count), lastSeen: row.last_seen.toISOString() }]),
    );
  }

  async #insert(tx: Tx, rows: readonly { entry: NewEntry; delta: number }[]): Promise<void> {
    const fields = rows.map(({ entry: { original: _original, seriesKey: _key, ...entry }, delta }) => ({
      ...entry,
      delta,
    }));
    // Originals come apart from the rest: as json they keep the order of their keys, and hold whatever a source sent.
    await tx.query(
      `INSERT INTO journal (dedupe_key, team, source, cluster, type, reason, message, kind, namespace, name, object, reporter,
                            node, labels, count, delta, first_seen, last_seen, received_at, original)
       SELECT r->>'dedupeKey', r->>'team', r->>'source', r->>'cluster', r->>'type', r->>'reason', r->>'message',
              r->'object'->>'kind', r->'object'->>'namespace', r->'object'->>'name', r->'object', r->>'reporter',
              r->>'node', r->'labels', (r->>'count')::bigint, (r->>'delta')::bigint, (r->>'firstSeen')::timestamptz,
              (r->>'lastSeen')::timestamptz, statement_timestamp(), original
         FROM ROWS FROM (jsonb_array_elements($1::jsonb), unnest($2::json[])) WITH ORDINALITY AS t(r, original, n)
        ORDER BY n`,
      [JSON.stringify(storable(fields)), rows.map(({ entry }) => JSON.stringify(entry.original ?? null))],
    );
  }

  async #rememberCounts(tx: Tx, counts: ReadonlyMap<string, SeriesState>): Promise<void> {
    if (counts.size === 0) return;
    const states = [...counts.values()];
    await tx.query(
      `INSERT INTO event_series (series_key, count, last_seen)
       SELECT k, c, s FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS t(k, c, s)
       ON CONFLICT (series_key) DO UPDATE SET count = excluded.count, last_seen = excluded.last_seen`,
      [[...counts.keys()], states.map(({ count }) => count), states.map(({ lastSeen }) => lastSeen)],
    );
  }
}
