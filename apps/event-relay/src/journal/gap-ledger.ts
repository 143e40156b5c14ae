import type { Gap } from '@keelson/contracts';
import type { Database, Tx } from '@keelson/persistence';
import type { Journal } from './journal.ts';

interface GapRow {
  id: string;
  cluster: string;
  cause: Gap['cause'];
  gap_from: Date;
  gap_until: Date;
  detail: string;
}

export interface NewGap {
  readonly cluster: string;
  readonly cause: Gap['cause'];
  readonly from: Date;
  readonly to: Date;
  readonly detail: string;
}

/** The loss ledger: what could have been missed, from when to when. A loss that is known is told, never passed over. */
export class GapLedger {
  readonly #database: Database;
  readonly #journal: Journal;
  readonly #recorded: () => void;

  /** `recorded` is called for every gap that is new, after its commit. */
  constructor(database: Database, journal: Journal, recorded: () => void = () => undefined) {
    this.#database = database;
    this.#journal = journal;
    this.#recorded = recorded;
  }

  /**
   * Writes the gap and, as a Warning in the journal, tells everyone who gets Warnings. Both views of Events lose the same
   * history: a gap that overlaps one of the same cluster and cause widens that one, and nobody is told twice.
   */
  async record(gap: NewGap): Promise<void> {
    // A clock that was set back in between must not turn the bounds round.
    const bounded = { ...gap, from: gap.from < gap.to ? gap.from : gap.to };
    await this.#database.transaction(async (tx) => {
      // The views are followed side by side, and may find the gap in the same moment.
      await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`gaps/${gap.cluster}`]);
      if (await this.#widened(tx, bounded)) return;
      await this.#insert(tx, bounded);
      tx.afterCommit(this.#recorded);
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

  async #widened(tx: Tx, { cluster, cause, from, to }: NewGap): Promise<boolean> {
    const changed = await tx.execute(
      `UPDATE gaps SET gap_from = least(gap_from, $3), gap_until = greatest(gap_until, $4)
        WHERE id = (SELECT id FROM gaps
                     WHERE cluster = $1 AND cause = $2 AND gap_from < $4 AND gap_until > $3
                     ORDER BY id DESC LIMIT 1)`,
      [cluster, cause, from, to],
    );
    return changed > 0;
  }

  async #insert(tx: Tx, gap: NewGap): Promise<void> {
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
  }
}
