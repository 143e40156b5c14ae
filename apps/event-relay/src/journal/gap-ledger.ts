import type { Gap } from '@keelson/contracts';
import type { Database } from '@keelson/persistence';
import type { Journal } from './journal.ts';

interface GapRow {
  id: string;
  cluster: string;
  cause: Gap['cause'];
  gap_from: Date;
  gap_until: Date;
  detail: string;
}

/** The loss ledger: what could have been missed, from when to when. A loss that is known is told, never passed over. */
export class GapLedger {
  readonly #database: Database;
  readonly #journal: Journal;

  constructor(database: Database, journal: Journal) {
    this.#database = database;
    this.#journal = journal;
  }

  /** Writes the gap and, as a Warning in the journal, tells everyone who gets Warnings. */
  async record(gap: { cluster: string; cause: Gap['cause']; from: Date; to: Date; detail: string }): Promise<void> {
    await this.#database.transaction(async (tx) => {
      const rows = await tx.query<{ id: string }>(
        'INSERT INTO gaps (cluster, cause, gap_from, gap_until, detail) VALUES ($1, $2, $3, $4, $5) RETURNING id',
        [gap.cluster, gap.cause, gap.from, gap.to, gap.detail],
      );
      await this.#journal.appendIn(tx, [
        {
          team: 'platform',
          source: 'platform',
          cluster: gap.cluster,
          type: 'Warning',
          reason: 'EventsLost',
          message: gap.detail,
          object: { kind: 'Cluster', name: gap.cluster },
          reporter: 'keelson-event-relay',
          labels: {},
          count: 1,
          firstSeen: gap.from.toISOString(),
          lastSeen: gap.to.toISOString(),
          dedupeKey: `gap/${rows[0]!.id}`,
          original: gap,
        },
      ]);
    });
  }

  /** Newest first; `before` is the id of the last one on the previous page. */
  async list(page: { before?: string | undefined; limit: number }): Promise<Gap[]> {
    const rows = await this.#database.query<GapRow>(
      'SELECT * FROM gaps WHERE ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2',
      [page.before ?? null, page.limit],
    );
    return rows.map((row) => ({
      id: row.id,
      cluster: row.cluster,
      cause: row.cause,
      from: row.gap_from.toISOString(),
      to: row.gap_until.toISOString(),
      detail: row.detail,
    }));
  }
}
