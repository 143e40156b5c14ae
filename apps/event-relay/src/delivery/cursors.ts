import type { Database } from '@keelson/persistence';

/** Where each sink stands, durably. */
export class Cursors {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The sink's cursor; a sink that is new begins behind `head`, so that it is not flooded with the past. */
  async open(sink: string, head: number): Promise<number> {
    await this.#database.query('INSERT INTO sink_cursors (sink, cursor) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
      sink,
      head,
    ]);
    const rows = await this.#database.query<{ cursor: string }>('SELECT cursor FROM sink_cursors WHERE sink = $1', [
      sink,
    ]);
    return Number(rows[0]?.cursor ?? head);
  }

  /** Moves the cursor and counts deliveries. A dead letter, if there is one, is written with it. */
  async advance(
    sink: string,
    to: number,
    delivered: number,
    dead?: { sequence: number; reason: string; attempts: number; at: Date },
  ): Promise<void> {
    await this.#database.transaction(async (tx) => {
      await tx.query(
        'UPDATE sink_cursors SET cursor = greatest(cursor, $2), delivered = delivered + $3 WHERE sink = $1',
        [sink, to, delivered],
      );
      if (dead) {
        await tx.query(
          `INSERT INTO dead_letters (sink, sequence, reason, attempts, at) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (sink, sequence) DO UPDATE SET reason = excluded.reason, attempts = excluded.attempts, at = excluded.at`,
          [sink, dead.sequence, dead.reason, dead.attempts, dead.at],
        );
      }
    });
  }

  /** The oldest replay of a sink that is not through yet. */
  async replay(sink: string): Promise<{ id: string; cursor: number; until: number } | undefined> {
    const rows = await this.#database.query<{ id: string; cursor: string; until: string }>(
      'SELECT id, cursor, until FROM replays WHERE sink = $1 ORDER BY id LIMIT 1',
      [sink],
    );
    const row = rows[0];
    return row && { id: row.id, cursor: Number(row.cursor), until: Number(row.until) };
  }

  /** Moves a replay; one that is through is removed. */
  async advanceReplay(id: string, cursor: number, until: number): Promise<void> {
    if (cursor >= until) await this.#database.query('DELETE FROM replays WHERE id = $1', [id]);
    else await this.#database.query('UPDATE replays SET cursor = $2 WHERE id = $1', [id, cursor]);
  }
}
