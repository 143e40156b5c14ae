import { AdvisoryLock, type Database } from '@keelson/persistence';
import type { Sink as SinkView } from '@keelson/contracts';
import type { Journal } from '../journal/journal.ts';
import { instant } from '../journal/search.ts';
import { matchSql } from '../rules/match.ts';
import type { SinkRule } from '../rules/rules.ts';
import { retryAfter } from '../sinks/sink.ts';
import type { Courier } from './courier.ts';
import type { DeadLetters } from './dead-letters.ts';

export type RedriveOutcome = { outcome: 'delivered' | 'rejected' | 'retry'; reason?: string };

/** How long one delivery by hand may take, ms; below the time limit of a request. */
const REDRIVE_LIMIT_MS = 25_000;

interface Standing {
  sink: string;
  cursor: string;
  delivered: string;
  last_error: string | null;
  dead: string;
  lag: string;
  lag_seconds: number;
}

/** All sinks of the configuration: how they are doing, and what people may ask of them. */
export class Sinks {
  readonly #database: Database;
  readonly #journal: Journal;
  readonly #deadLetters: DeadLetters;
  readonly #couriers: ReadonlyMap<string, { courier: Courier; rule: SinkRule }>;

  constructor(parts: {
    database: Database;
    journal: Journal;
    deadLetters: DeadLetters;
    couriers: readonly { courier: Courier; rule: SinkRule }[];
  }) {
    this.#database = parts.database;
    this.#journal = parts.journal;
    this.#deadLetters = parts.deadLetters;
    this.#couriers = new Map(parts.couriers.map((one) => [one.rule.name, one]));
  }

  has(name: string): boolean {
    return this.#couriers.has(name);
  }

  /** Every sink with where it stands, whichever replica delivers; lag counts from its cursor to the end of the journal. */
  async list(): Promise<SinkView[]> {
    const rows = await this.#database.query<Standing>(
      `SELECT c.sink, c.cursor, c.delivered, c.last_error,
              (SELECT count(*) FROM dead_letters d WHERE d.sink = c.sink) AS dead,
              (SELECT count(*) FROM journal j WHERE j.sequence > c.cursor) AS lag,
              coalesce(extract(epoch FROM now() - (SELECT received_at FROM journal j WHERE j.sequence > c.cursor
                                                    ORDER BY j.sequence LIMIT 1)), 0)::float8 AS lag_seconds
         FROM sink_cursors c WHERE c.sink = ANY($1)`,
      [[...this.#couriers.keys()]],
    );
    const standing = new Map(rows.map((row) => [row.sink, row]));
    return [...this.#couriers.values()].map(({ courier, rule }) => {
      const row = standing.get(rule.name);
      const lastError = row?.last_error ?? undefined;
      return {
        name: rule.name,
        kind: courier.sink.kind,
        state: courier.state.kind === 'stopped' ? 'stopped' : lastError === undefined ? 'delivering' : 'retrying',
        cursor: Number(row?.cursor ?? 0),
        lagEvents: Number(row?.lag ?? 0),
        lagSeconds: Math.max(0, row?.lag_seconds ?? 0),
        delivered: Number(row?.delivered ?? 0),
        deadLetters: Number(row?.dead ?? 0),
        ...(lastError === undefined ? {} : { lastError }),
      };
    });
  }

  /**
   * Puts before the sink once more what was last seen in this time and matches its rule; returns how many events that
   * is. A dry run only counts.
   */
  async replay(name: string, range: { since: string; until: string | undefined; dryRun: boolean }): Promise<number> {
    const { courier, rule } = this.#couriers.get(name)!;
    const [since, before] = [instant(range.since), range.until === undefined ? 'infinity' : instant(range.until)];
    const match = matchSql(rule.match, 3);
    const [found] = await this.#database.query<{ count: string; first: string | null; last: string | null }>(
      `SELECT count(*) AS count, min(sequence) AS first, max(sequence) AS last FROM journal
        WHERE last_seen >= $1 AND last_seen <= $2 AND ${match.sql}`,
      [since, before, ...match.params],
    );
    const count = Number(found?.count ?? 0);
    if (!range.dryRun && count > 0) {
      await this.#database.query(
        'INSERT INTO replays (sink, cursor, until, since, before) VALUES ($1, $2, $3, $4, $5)',
        [name, Number(found!.first) - 1, found!.last, since, before],
      );
      courier.wake();
    }
    return count;
  }

  /** Tries one dead letter again, now; undefined where the team sees none of this id or its sink is gone. */
  async redrive(id: string, team?: string): Promise<RedriveOutcome | undefined> {
    // Two people who press the button together would else deliver it twice.
    const lock = new AdvisoryLock(this.#database, `dead-letter/${id}`);
    const done = await lock.tryRun(() => this.#redrive(id, team));
    return done.held ? done.result : { outcome: 'retry', reason: 'it is being tried already; look again in a moment' };
  }

  async #redrive(id: string, team: string | undefined): Promise<RedriveOutcome | undefined> {
    const letter = await this.#deadLetters.find(id, team);
    const target = letter && this.#couriers.get(letter.sink);
    const entry = letter && (await this.#journal.find(letter.sequence));
    if (!target || !entry) return undefined;
    const [outcome] = await target.courier.sink
      .deliver([entry], AbortSignal.timeout(REDRIVE_LIMIT_MS))
      .catch((error: unknown) => [retryAfter(error)]);
    if (outcome?.kind === 'delivered') {
      await this.#deadLetters.remove(id);
      return { outcome: 'delivered' };
    }
    const reason = outcome && outcome.reason !== '' ? outcome.reason : 'the sink is busy; try again in a moment';
    if (outcome?.kind === 'rejected') await this.#deadLetters.failedAgain(id, reason);
    return { outcome: outcome?.kind === 'rejected' ? 'rejected' : 'retry', reason };
  }
}
