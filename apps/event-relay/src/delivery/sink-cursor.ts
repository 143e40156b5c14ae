import type { Database, LockSession } from '@keelson/persistence';

/** An event that a sink refused for good. */
export interface Refused {
  readonly sequence: number;
  readonly reason: string;
  readonly attempts: number;
}

/** A part of the journal that is put before a sink once more. */
export interface Replay {
  readonly id: string;
  /** Last sequence that was dealt with. */
  readonly cursor: number;
  readonly until: number;
  /** Bounds of `lastSeen`, as PostgreSQL writes them. */
  readonly since: string;
  readonly before: string;
}

/** Makes the cursors of new sinks. They begin at the end of the journal, so that none is flooded with the past. */
export async function openCursors(database: Database, sinks: readonly string[], head: number): Promise<void> {
  await database.query(
    'INSERT INTO sink_cursors (sink, cursor) SELECT name, $2 FROM unnest($1::text[]) AS t(name) ON CONFLICT DO NOTHING',
    [sinks, head],
  );
}

/**
 * Where a sink stands, durably. All goes over the connection that holds the sink's lock, so that a replica which lost
 * the lock can move nothing.
 *
 * Its commits do not wait for the disk (`synchronous_commit = off`): should PostgreSQL itself crash, the last half second
 * of moves is forgotten and those events are delivered again, as they may be; none is lost. PostgreSQL manual, 28.4.
 */
export class SinkCursor {
  readonly #session: LockSession;
  readonly #sink: string;

  constructor(session: LockSession, sink: string) {
    this.#session = session;
    this.#sink = sink;
  }

  /** Last sequence that the sink is through with. */
  async open(): Promise<number> {
    await this.#session.query('SET synchronous_commit = off');
    const rows = await this.#session.query<{ cursor: string }>('SELECT cursor FROM sink_cursors WHERE sink = $1', [
      this.#sink,
    ]);
    if (rows[0] === undefined) throw new Error(`sink ${this.#sink} has no cursor`);
    return Number(rows[0].cursor);
  }

  /** Gives the connection back as it was. */
  async close(): Promise<void> {
    await this.#session.query('RESET synchronous_commit');
  }

  /** The sink is through with everything up to `to`, and took `delivered` more events. */
  async advance(to: number, delivered: number): Promise<void> {
    await this.#session.query(
      `UPDATE sink_cursors SET cursor = greatest(cursor, $2), delivered = delivered + $3, last_error = NULL
        WHERE sink = $1`,
      [this.#sink, to, delivered],
    );
  }

  /** The sink refused an event: it becomes a dead letter in the moment in which the cursor passes it. */
  async bury(to: number, refused: Refused): Promise<void> {
    await this.#session.query(
      `WITH passed AS (
         UPDATE sink_cursors SET cursor = greatest(cursor, $2), last_error = NULL WHERE sink = $1)
       INSERT INTO dead_letters (sink, sequence, reason, attempts, at) VALUES ($1, $3, $4, $5, now())
       ON CONFLICT (sink, sequence) DO UPDATE
          SET reason = excluded.reason, attempts = dead_letters.attempts + excluded.attempts, at = excluded.at`,
      [this.#sink, to, refused.sequence, refused.reason, refused.attempts],
    );
  }

  /** Why the sink takes nothing at present, for every replica to tell. */
  async failing(reason: string): Promise<void> {
    await this.#session.query('UPDATE sink_cursors SET last_error = $2 WHERE sink = $1', [this.#sink, reason]);
  }

  /** The oldest replay that is not through yet. */
  async replay(): Promise<Replay | undefined> {
    const rows = await this.#session.query<Record<keyof Replay, string>>(
      'SELECT id, cursor, until, since::text, before::text FROM replays WHERE sink = $1 ORDER BY id LIMIT 1',
      [this.#sink],
    );
    const row = rows[0];
    return row && { ...row, cursor: Number(row.cursor), until: Number(row.until) };
  }

  /** Moves a replay past these deliveries; what was a dead letter of them is none any more. One that is through goes. */
  async advanceReplay({ id, until }: Replay, to: number, delivered: readonly number[]): Promise<void> {
    await this.#session.query(
      `WITH moved AS (UPDATE replays SET cursor = $2 WHERE id = $1 AND $2 < $3::bigint),
            ended AS (DELETE FROM replays WHERE id = $1 AND $2 >= $3::bigint),
            taken AS (DELETE FROM dead_letters WHERE sink = $4 AND sequence = ANY($5::bigint[]))
       UPDATE sink_cursors SET delivered = delivered + cardinality($5::bigint[]), last_error = NULL WHERE sink = $4`,
      [id, to, until, this.#sink, delivered],
    );
  }
}
