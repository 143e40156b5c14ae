import type { DeadLetter } from '@keelson/contracts';
import type { Database } from '@keelson/persistence';
import { toEvent, type JournalRow } from '../journal/row.ts';
import { VISIBLE } from '../journal/search.ts';

type DeadRow = JournalRow & { dead_id: string; sink: string; dead_reason: string; attempts: number; at: Date };

/** What sinks refused for good, to be looked at and tried again. It lives as long as its event in the journal. */
export class DeadLetters {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Newest first; `before` is the id of the last one on the previous page. Without a team those of all events. */
  list(filter: {
    team?: string | undefined;
    sink?: string | undefined;
    before?: string | undefined;
    limit: number;
  }): Promise<DeadLetter[]> {
    return this.#read(
      `${visibleTo('$4')} AND ($1::text IS NULL OR d.sink = $1) AND ($2::uuid IS NULL OR d.id < $2)
        ORDER BY d.id DESC LIMIT $3`,
      [filter.sink ?? null, filter.before ?? null, filter.limit, filter.team ?? null],
    );
  }

  async find(id: string, team?: string): Promise<DeadLetter | undefined> {
    return (await this.#read(`d.id = $1 AND ${visibleTo('$2')}`, [id, team ?? null]))[0];
  }

  async remove(id: string): Promise<void> {
    await this.#database.query('DELETE FROM dead_letters WHERE id = $1', [id]);
  }

  async failedAgain(id: string, reason: string): Promise<void> {
    await this.#database.query(
      'UPDATE dead_letters SET reason = $2, at = now(), attempts = attempts + 1 WHERE id = $1',
      [id, reason],
    );
  }

  async #read(where: string, params: readonly unknown[]): Promise<DeadLetter[]> {
    const rows = await this.#database.query<DeadRow>(
      `SELECT j.*, d.id AS dead_id, d.sink, d.reason AS dead_reason, d.attempts, d.at
         FROM dead_letters d JOIN journal j USING (sequence) WHERE ${where}`,
      params,
    );
    return rows.map((row) => ({
      id: row.dead_id,
      sink: row.sink,
      sequence: Number(row.sequence),
      reason: row.dead_reason,
      attempts: row.attempts,
      at: row.at.toISOString(),
      event: toEvent(row),
    }));
  }
}

const visibleTo = (team: string): string => `(${team}::text IS NULL OR ${VISIBLE.replace('?', team)})`;
