import type { Sink as SinkView } from '@keelson/contracts';
import type { Database } from '@keelson/persistence';
import type { Journal } from '../journal/journal.ts';
import { matches } from '../rules/match.ts';
import type { SinkRule } from '../rules/rules.ts';
import type { Courier } from './courier.ts';
import type { DeadLetters } from './dead-letters.ts';

export type RedriveOutcome = { outcome: 'delivered' | 'rejected' | 'retry'; reason?: string };

/** All sinks of the configuration: how they are doing, and what people may ask of them. */
export class Sinks {
  readonly #database: Database;
  readonly #journal: Journal;
  readonly #deadLetters: DeadLetters;
  readonly #couriers: ReadonlyMap<string, { courier: Courier; rule: SinkRule }>;
  readonly #clock: { now(): Date };

  constructor(parts: {
    database: Database;
    journal: Journal;
    deadLetters: DeadLetters;
    couriers: readonly { courier: Courier; rule: SinkRule }[];
    clock: { now(): Date };
  }) {
    this.#database = parts.database;
    this.#journal = parts.journal;
    this.#deadLetters = parts.deadLetters;
    this.#couriers = new Map(parts.couriers.map((one) => [one.rule.name, one]));
    this.#clock = parts.clock;
  }

  has(name: string): boolean {
    return this.#couriers.has(name);
  }

  /** Every sink with where it stands; lag counts from its cursor to the end of the journal. */
  async list(): Promise<SinkView[]> {
    const rows = await this.#database.query<{
      sink: string;
      cursor: string;
      delivered: string;
      dead: string;
      lag: string;
      oldest: Date | null;
    }>(
      `SELECT c.sink, c.cursor, c.delivered,
              (SELECT count(*) FROM dead_letters d WHERE d.sink = c.sink) AS dead,
              (SELECT count(*) FROM journal j WHERE j.sequence > c.cursor) AS lag,
              (SELECT min(received_at) FROM journal j WHERE j.sequence > c.cursor) AS oldest
         FROM sink_cursors c`,
    );
    const standing = new Map(rows.map((row) => [row.sink, row]));
    const now = this.#clock.now().getTime();
    return [...this.#couriers.values()].map(({ courier, rule }) => {
      const row = standing.get(rule.name);
      const { state } = courier;
      return {
        name: rule.name,
        kind: courier.sink.kind,
        state: state.kind === 'retrying' ? 'retrying' : state.kind === 'stopped' ? 'stopped' : 'delivering',
        cursor: Number(row?.cursor ?? 0),
        lagEvents: Number(row?.lag ?? 0),
        lagSeconds: row?.oldest ? Math.max(0, (now - row.oldest.getTime()) / 1000) : 0,
        delivered: Number(row?.delivered ?? 0),
        deadLetters: Number(row?.dead ?? 0),
        ...(state.kind === 'retrying' ? { lastError: state.reason } : {}),
      };
    });
  }

  /** Puts a range of the journal before the sink once more; returns how many events that is. */
  async replay(name: string, range: { since: string; until: string | undefined; dryRun: boolean }): Promise<number> {
    const rows = await this.#database.query<{ first: string | null; last: string | null }>(
      'SELECT min(sequence) AS first, max(sequence) AS last FROM journal WHERE last_seen >= $1 AND ($2::timestamptz IS NULL OR last_seen <= $2)',
      [range.since, range.until ?? null],
    );
    const { first, last } = rows[0] ?? {};
    if (!first || !last) return 0;
    const { courier, rule } = this.#couriers.get(name)!;
    let count = 0;
    for (let at = Number(first) - 1; ;) {
      const page = await this.#journal.after(at, 1000, Number(last));
      if (page.length === 0) break;
      count += page.filter((entry) => matches(rule.match, entry)).length;
      at = page.at(-1)!.sequence;
    }
    if (!range.dryRun && count > 0) {
      await this.#database.query('INSERT INTO replays (sink, cursor, until) VALUES ($1, $2, $3)', [
        name,
        Number(first) - 1,
        last,
      ]);
      courier.wake();
    }
    return count;
  }

  /** Tries one dead letter again, now; undefined where there is none of this id or its sink is gone. */
  async redrive(id: string): Promise<RedriveOutcome | undefined> {
    const letter = await this.#deadLetters.find(id);
    const target = letter && this.#couriers.get(letter.sink);
    const entry = letter && (await this.#journal.find(letter.sequence));
    if (!target || !entry) return undefined;
    const [outcome] = await target.courier.sink.deliver([entry], AbortSignal.timeout(30_000));
    if (outcome?.kind === 'delivered') {
      await this.#deadLetters.remove(id);
      return { outcome: 'delivered' };
    }
    const reason = outcome && outcome.reason !== '' ? outcome.reason : 'the sink is busy; try again in a moment';
    if (outcome?.kind === 'rejected') await this.#deadLetters.failedAgain(id, reason, this.#clock.now());
    return { outcome: outcome?.kind === 'rejected' ? 'rejected' : 'retry', reason };
  }
}
