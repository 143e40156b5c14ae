import type { Database, Log } from '@keelson/persistence';
import { fullJitter } from '../connection/backoff.ts';
import { within } from '../connection/connection.ts';
import { messageOf } from '../message-of.ts';
import { wakeRelays } from '../outbox/wake.ts';
import type { Clock } from '../options.ts';
import { DISPATCH, NEXT, WAITING } from './statements.ts';
import { onWake } from './wake.ts';

export interface SchedulerOptions {
  database: Database;
  /** Messages in one statement. Default 500. */
  batch?: number;
  /** How often to look for what other processes scheduled, and so how late one may leave. Default 1,000. */
  pollMs?: number;
  /** Default: the clock of the database, which is the same for all schedulers. */
  clock?: Clock;
  log: Log;
}

/**
 * Hands scheduled messages to the outbox when they are due: not before, and at most `pollMs` later while the database
 * answers. Any number of schedulers may run on one database. Database away: it waits and goes on.
 */
export class MessageScheduler {
  readonly #options: Required<Omit<SchedulerOptions, 'clock'>> & Pick<SchedulerOptions, 'clock'>;
  readonly #unwake: () => void;
  readonly #loop: Promise<void>;
  #woken = 0;
  #stopped = false;
  #sleeper: (() => void) | undefined;
  dispatched = 0;

  constructor(options: SchedulerOptions) {
    this.#options = { batch: 500, pollMs: 1_000, ...options };
    this.#unwake = onWake(options.database, () => this.wake());
    this.#loop = this.#run();
  }

  /** Look now. */
  wake(): void {
    this.#woken += 1;
    this.#sleeper?.();
  }

  /** Messages that wait (counted up to 100,000), and how late the oldest is in seconds: 0 while none is due. */
  async waiting(): Promise<{ rows: number; lateSeconds: number }> {
    const [row] = await this.#options.database.query<{ rows: number; seconds: number | null }>(WAITING, [this.#now()]);
    return { rows: row?.rows ?? 0, lateSeconds: Math.max(0, row?.seconds ?? 0) };
  }

  /** Ends after the statement under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unwake();
    this.wake();
    // A database that hangs rolls back by itself; the rows are still there.
    await within(10_000, this.#loop);
  }

  async #run(): Promise<void> {
    const { database, batch, pollMs, log } = this.#options;
    for (let failures = 0; !this.#stopped;) {
      const seen = this.#woken;
      try {
        const moved = await database.execute(DISPATCH, [this.#now(), batch]);
        failures = 0;
        this.dispatched += moved;
        if (moved > 0) wakeRelays(database);
        if (moved < batch) await this.#sleep(seen, Math.min(pollMs, await this.#untilNext()));
      } catch (error) {
        if (failures % 10 === 0)
          log.warn({ error: messageOf(error) }, 'message scheduler: the database does not answer; trying again');
        failures += 1;
        await this.#sleep(this.#woken, 100 + fullJitter(failures, { baseMs: 100, capMs: 2_000 }));
      }
    }
  }

  async #untilNext(): Promise<number> {
    const [row] = await this.#options.database.query<{ ms: number | null }>(NEXT, [this.#now()]);
    // What another scheduler holds is late already and not ours to wait for.
    return Math.max(10, row?.ms ?? Number.POSITIVE_INFINITY);
  }

  #now(): Date | null {
    return this.#options.clock?.now() ?? null;
  }

  #sleep(seen: number, ms: number): Promise<void> {
    if (this.#stopped || this.#woken !== seen) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#sleeper = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#sleeper = done;
    });
  }
}
