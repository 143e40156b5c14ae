import { AdvisoryLock, type Database, type LockSession } from '@keelson/persistence';
import type { JournalEntry } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { matches } from '../rules/match.ts';
import type { Match } from '../rules/rules.ts';
import { retryAfter, type Outcome, type Sink } from '../sinks/sink.ts';
import { backoffMs } from './backoff.ts';
import type { DeliveryMetrics } from './metrics.ts';
import { SinkCursor, type Refused } from './sink-cursor.ts';

/** How many entries are read from the journal at a time. */
const PAGE = 500;
/** How often the journal is looked at though nobody woke us: another replica may have appended. */
const POLL_MS = 500;
/** How often a replica that another one keeps from delivering tries to take over. */
const TAKE_OVER_MS = 1_000;
/** How long a delivery that is under way may take to end once the service stops. */
const DRAIN_MS = 10_000;

export interface CourierParts {
  readonly name: string;
  readonly match: Match;
  readonly sink: Sink;
  readonly database: Database;
  readonly journal: Journal;
  readonly clock: { now(): Date };
  readonly metrics: DeliveryMetrics;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** `waiting`: another replica delivers, or nothing was tried yet. */
export type CourierState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'delivering' }
  | { readonly kind: 'retrying'; readonly reason: string; readonly attempts: number }
  | { readonly kind: 'stopped' };

/** Remembers how far a page came: after deliveries, after a refusal, and at its end, when only what does not match is left. */
interface Progress {
  passed(to: number, delivered: readonly number[]): Promise<void>;
  refused(to: number, refused: Refused): Promise<void>;
}

/**
 * Carries the journal to one sink, in order, from its own cursor. A slow or dead sink delays nobody else. The cursor
 * moves only after the sink has the entry (or the entry is a dead letter), so a crash repeats and never loses. Of several
 * replicas one delivers: the one that holds the sink's advisory lock.
 */
export class Courier {
  readonly #parts: CourierParts;
  readonly #stopping = new AbortController();
  readonly #abandon = new AbortController();
  #state: CourierState = { kind: 'waiting' };
  #running: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #endPause: () => void = () => undefined;
  #woken = false;
  #attempts = 0;
  /** The last that this process saw delivered: known even where the database was away when it should be told. */
  #delivered: { readonly sequence: number; readonly id: string } | undefined;

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

  /** Ends after the delivery in hand, which has {@link DRAIN_MS}; what is not delivered stays in the journal. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  /** Something may be waiting in the journal or in the replays. */
  wake(): void {
    this.#woken = true;
    this.#endPause();
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    const limit = setTimeout(() => this.#abandon.abort(new Error('the service stops')), DRAIN_MS);
    await this.#running;
    clearTimeout(limit);
    await this.#parts.sink.close();
    this.#state = { kind: 'stopped' };
  }

  async #run(): Promise<void> {
    const off = this.#parts.journal.onAppend(() => this.wake());
    const lock = new AdvisoryLock(this.#parts.database, `sink/${this.#parts.name}`);
    while (!this.#stopping.signal.aborted) {
      try {
        const { held } = await lock.tryRun((session) => this.#deliver(session));
        if (!held) {
          this.#state = { kind: 'waiting' };
          await this.#pause(TAKE_OVER_MS);
        }
      } catch (error) {
        // The database is away, or the lock is lost: nothing can be read or remembered until it is ours again.
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

  async #deliver(session: LockSession): Promise<void> {
    const store = new SinkCursor(session, this.#parts.name);
    const progress: Progress = {
      passed: (to, delivered) => store.advance(to, delivered.length),
      refused: (to, refused) => store.bury(to, refused),
    };
    let cursor = await this.#beginAfter(await store.open(), session);
    this.#state = { kind: 'delivering' };
    while (!this.#stopping.signal.aborted) {
      this.#woken = false;
      const replayed = await this.#replaySome(store, session);
      // Read over the session, too: whoever lost the lock finds out before the next delivery.
      const entries = await this.#parts.journal.after(cursor, PAGE, {}, session);
      if (entries.length > 0) cursor = await this.#deliverPage(entries, progress, cursor, { store, session });
      else if (!replayed && !this.#woken) await this.#pause(POLL_MS, session.lost);
    }
    await store.close();
  }

  /** Behind what is known to be delivered, unless the journal was exchanged for another one (a restored backup). */
  async #beginAfter(stored: number, session: LockSession): Promise<number> {
    const delivered = this.#delivered;
    if (delivered === undefined || delivered.sequence <= stored) return stored;
    const [found] = await this.#parts.journal.after(delivered.sequence - 1, 1, {}, session);
    return found?.id === delivered.id ? delivered.sequence : stored;
  }

  /** One page of a replay, so that a long one does not hold up what is new; false where there is none. */
  async #replaySome(store: SinkCursor, session: LockSession): Promise<boolean> {
    const replay = await store.replay();
    if (!replay) return false;
    const entries = await this.#parts.journal.after(replay.cursor, PAGE, replay, session);
    if (entries.length === 0) {
      await store.advanceReplay(replay, replay.until, []);
      return true;
    }
    const progress: Progress = {
      passed: (to, delivered) => store.advanceReplay(replay, to, delivered),
      refused: async (to, refused) => {
        await store.bury(0, refused);
        await store.advanceReplay(replay, to, []);
      },
    };
    await this.#deliverPage(entries, progress, undefined, { store, session });
    return true;
  }

  /**
   * Delivers what matches of one page and returns how far it came; less than the page only when it was stopped.
   * `from` is the sink's own cursor, undefined in a replay.
   */
  async #deliverPage(
    entries: readonly JournalEntry[],
    progress: Progress,
    from: number | undefined,
    { store, session }: { store: SinkCursor; session: LockSession },
  ): Promise<number> {
    const { name, match, sink, metrics, clock, log } = this.#parts;
    const wanted = entries.filter((entry) => matches(match, entry));
    metrics.filtered(name, entries.length - wanted.length);
    let at = from ?? 0;
    while (wanted.length > 0 && !this.#stopping.signal.aborted) {
      // Another replica may hold the lock by now, and deliver this very event.
      session.lost.throwIfAborted();
      const batch = wanted.slice(0, sink.batchSize);
      const outcomes = await this.#attempt(batch);
      const delivered = batch.slice(0, leading(outcomes));
      if (delivered.length > 0) {
        const last = delivered.at(-1)!;
        at = last.sequence;
        if (from !== undefined) this.#delivered = { sequence: at, id: last.id };
        metrics.delivered(name, delivered, clock.now());
        await progress.passed(
          at,
          delivered.map(({ sequence }) => sequence),
        );
        wanted.splice(0, delivered.length);
        this.#attempts = 0;
        this.#state = { kind: 'delivering' };
      }
      const ended = outcomes[delivered.length];
      if (ended?.kind === 'rejected') {
        const { sequence } = wanted.shift()!;
        at = sequence;
        await progress.refused(at, { sequence, reason: ended.reason, attempts: this.#attempts + 1 });
        metrics.dead(name);
        log.warn({ sink: name, sequence, reason: ended.reason }, 'rejected; now a dead letter');
        this.#attempts = 0;
        this.#state = { kind: 'delivering' };
      } else if (ended?.kind === 'retry') {
        await this.#waitToRetry(ended, store, session.lost);
      }
    }
    const last = entries.at(-1)!.sequence;
    if (wanted.length === 0 && last > at) {
      await progress.passed(last, []);
      at = last;
    }
    return at;
  }

  async #attempt(batch: readonly JournalEntry[]): Promise<readonly Outcome[]> {
    try {
      const outcomes = await this.#parts.sink.deliver(batch, this.#abandon.signal);
      return outcomes.length > 0 ? outcomes : [retryAfter(new Error('the sink gave no answer'))];
    } catch (error) {
      return [retryAfter(error)];
    }
  }

  async #waitToRetry(
    outcome: Extract<Outcome, { kind: 'retry' }>,
    store: SinkCursor,
    lost: AbortSignal,
  ): Promise<void> {
    // A sink that merely keeps its pace gives no reason: that is no failure.
    if (outcome.reason === '') return this.#pause(outcome.afterMs ?? 0, lost, { deaf: true });
    const { name, metrics, log } = this.#parts;
    this.#attempts += 1;
    const told = this.#state.kind === 'retrying' ? this.#state.reason : undefined;
    this.#state = { kind: 'retrying', reason: outcome.reason, attempts: this.#attempts };
    metrics.retried(name);
    const waitMs = outcome.afterMs ?? backoffMs(this.#attempts);
    log.warn({ sink: name, reason: outcome.reason, retryInMs: Math.round(waitMs) }, 'not delivered yet');
    if (told !== outcome.reason) await store.failing(outcome.reason);
    await this.#pause(waitMs, lost, { deaf: true });
  }

  /** Waits; a wake ends it early unless `deaf`, a stop and a lost lock always do. */
  #pause(ms: number, lost?: AbortSignal, { deaf = false }: { deaf?: boolean } = {}): Promise<void> {
    const signals = [this.#stopping.signal, ...(lost === undefined ? [] : [lost])];
    if (signals.some((signal) => signal.aborted)) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        for (const signal of signals) signal.removeEventListener('abort', end);
        this.#endPause = () => undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      for (const signal of signals) signal.addEventListener('abort', end);
      if (!deaf) this.#endPause = end;
    });
  }
}

/** How many outcomes from the first on are deliveries. */
function leading(outcomes: readonly Outcome[]): number {
  const ended = outcomes.findIndex((outcome) => outcome.kind !== 'delivered');
  return ended === -1 ? outcomes.length : ended;
}
