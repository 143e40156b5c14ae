import { AdvisoryLock, type Database } from '@keelson/persistence';
import type { JournalEntry } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { matches } from '../rules/match.ts';
import type { Match } from '../rules/rules.ts';
import { retryAfter, type Outcome, type Sink } from '../sinks/sink.ts';
import { backoffMs } from './backoff.ts';
import type { Cursors } from './cursors.ts';
import type { DeliveryMetrics } from './metrics.ts';

/** How many entries are read from the journal at a time. */
const PAGE = 500;
/** How often the journal is looked at though nobody woke us: another replica may have appended. */
const POLL_MS = 500;
/** How often a replica that another one keeps from delivering tries to take over. */
const TAKE_OVER_MS = 1_000;

export interface CourierParts {
  readonly name: string;
  readonly match: Match;
  readonly sink: Sink;
  readonly database: Database;
  readonly journal: Journal;
  readonly cursors: Cursors;
  readonly clock: { now(): Date };
  readonly metrics: DeliveryMetrics;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

export type CourierState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'delivering' }
  | { readonly kind: 'retrying'; readonly reason: string; readonly attempts: number }
  | { readonly kind: 'stopped' };

/**
 * Carries the journal to one sink, in order, from its own cursor. A slow or dead sink delays nobody else. The cursor
 * moves only after the sink has the entry (or the entry is a dead letter), so a crash repeats and never loses. Of several
 * replicas one delivers: the one that holds the sink's advisory lock.
 */
export class Courier {
  readonly #parts: CourierParts;
  readonly #stopping = new AbortController();
  #state: CourierState = { kind: 'waiting' };
  #running: Promise<void> | undefined;
  #wake: () => void = () => undefined;
  #attempts = 0;

  constructor(parts: CourierParts) {
    this.#parts = parts;
  }

  get state(): CourierState {
    return this.#state;
  }

  get name(): string {
    return this.#parts.name;
  }

  get sink(): Sink {
    return this.#parts.sink;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends after the delivery in hand; what is not delivered stays in the journal. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#parts.sink.close();
    this.#state = { kind: 'stopped' };
  }

  /** Something may be waiting in the journal or in the replays. */
  wake(): void {
    this.#wake();
  }

  async #run(): Promise<void> {
    const off = this.#parts.journal.onAppend(() => this.#wake());
    const lock = new AdvisoryLock(this.#parts.database, `sink/${this.#parts.name}`);
    while (!this.#stopping.signal.aborted) {
      try {
        const { held } = await lock.tryRun(() => this.#deliver());
        if (!held) {
          this.#state = { kind: 'waiting' };
          await this.#pause(TAKE_OVER_MS);
        }
      } catch (error) {
        // The database is away: nothing can be read or remembered until it is back.
        this.#state = { kind: 'retrying', reason: String(error), attempts: this.#attempts };
        this.#parts.log.warn(
          { sink: this.#parts.name, reason: String(error) },
          'the journal cannot be read; trying again',
        );
        await this.#pause(TAKE_OVER_MS);
      }
    }
    off();
  }

  async #deliver(): Promise<void> {
    const { journal, cursors, name } = this.#parts;
    let cursor = await cursors.open(name, await journal.head());
    this.#state = { kind: 'delivering' };
    while (!this.#stopping.signal.aborted) {
      const replayed = await this.#replaySome();
      const entries = await journal.after(cursor, PAGE);
      if (entries.length === 0) {
        if (!replayed) await this.#pause(POLL_MS);
        continue;
      }
      cursor = await this.#deliverPage(
        entries,
        (to, delivered, dead) => cursors.advance(name, to, delivered, dead),
        cursor,
      );
    }
  }

  /** One page of a replay, so that a long one does not hold up what is new; false where there is none. */
  async #replaySome(): Promise<boolean> {
    const replay = await this.#parts.cursors.replay(this.#parts.name);
    if (!replay) return false;
    const entries = await this.#parts.journal.after(replay.cursor, PAGE, replay.until);
    if (entries.length === 0) {
      await this.#parts.cursors.advanceReplay(replay.id, replay.until, replay.until);
      return true;
    }
    await this.#deliverPage(
      entries,
      async (to, delivered, dead) => {
        await this.#parts.cursors.advance(this.#parts.name, 0, delivered, dead);
        await this.#parts.cursors.advanceReplay(replay.id, to, replay.until);
      },
      replay.cursor,
    );
    return true;
  }

  /** Delivers what matches of one page and returns how far it came; less than the page only when it was stopped. */
  async #deliverPage(
    entries: readonly JournalEntry[],
    advance: (
      to: number,
      delivered: number,
      dead?: { sequence: number; reason: string; attempts: number; at: Date },
    ) => Promise<void>,
    from: number,
  ): Promise<number> {
    const wanted = entries.filter((entry) => matches(this.#parts.match, entry));
    this.#parts.metrics.filtered(this.#parts.name, entries.length - wanted.length);
    let at = from;
    while (wanted.length > 0 && !this.#stopping.signal.aborted) {
      const batch = wanted.slice(0, this.#parts.sink.batchSize);
      const outcomes = await this.#attempt(batch);
      const delivered = leading(outcomes);
      if (delivered > 0) {
        at = batch[delivered - 1]!.sequence;
        await advance(at, delivered);
        this.#parts.metrics.delivered(this.#parts.name, batch.slice(0, delivered), this.#parts.clock.now());
        wanted.splice(0, delivered);
        this.#attempts = 0;
        this.#state = { kind: 'delivering' };
      }
      const ended = outcomes[delivered];
      if (ended?.kind === 'rejected') {
        at = batch[delivered]!.sequence;
        const dead = { sequence: at, reason: ended.reason, attempts: this.#attempts + 1, at: this.#parts.clock.now() };
        await advance(at, 0, dead);
        this.#parts.metrics.dead(this.#parts.name);
        this.#parts.log.warn(
          { sink: this.#parts.name, sequence: at, reason: ended.reason },
          'rejected; now a dead letter',
        );
        wanted.splice(0, 1);
        this.#attempts = 0;
      } else if (ended?.kind === 'retry') {
        await this.#waitToRetry(ended);
      }
    }
    const last = entries.at(-1)!.sequence;
    if (wanted.length === 0 && last > at) {
      await advance(last, 0);
      at = last;
    }
    return at;
  }

  async #attempt(batch: readonly JournalEntry[]): Promise<readonly Outcome[]> {
    try {
      return await this.#parts.sink.deliver(batch, this.#stopping.signal);
    } catch (error) {
      return [retryAfter(error)];
    }
  }

  async #waitToRetry(outcome: Extract<Outcome, { kind: 'retry' }>): Promise<void> {
    // A sink that merely keeps its pace gives no reason: that is no failure.
    if (outcome.reason === '') return this.#pause(outcome.afterMs ?? 0, { deaf: true });
    this.#attempts += 1;
    this.#state = { kind: 'retrying', reason: outcome.reason, attempts: this.#attempts };
    this.#parts.metrics.retried(this.#parts.name);
    const waitMs = outcome.afterMs ?? backoffMs(this.#attempts);
    this.#parts.log.warn(
      { sink: this.#parts.name, reason: outcome.reason, retryInMs: Math.round(waitMs) },
      'not delivered yet',
    );
    await this.#pause(waitMs, { deaf: true });
  }

  /** Waits; a wake ends it early unless `deaf`, a stop always does. */
  #pause(ms: number, { deaf = false }: { deaf?: boolean } = {}): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        this.#wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end);
      if (!deaf) this.#wake = end;
    });
  }
}

/** How many outcomes from the first on are deliveries. */
function leading(outcomes: readonly Outcome[]): number {
  const ended = outcomes.findIndex((outcome) => outcome.kind !== 'delivered');
  return ended === -1 ? outcomes.length : ended;
}
