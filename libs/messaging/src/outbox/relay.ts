import type { Database, Log } from '@keelson/persistence';
import { Client } from 'pg';
import { fullJitter } from '../connection/backoff.ts';
import { within } from '../connection/connection.ts';
import { messageOf } from '../message-of.ts';
import type { Instruments } from '../observe/instruments.ts';
import type { Publisher } from '../publish/publisher.ts';
import { relayBatch, type BatchResult } from './batch.ts';
import { SHARDS } from './migrations.ts';
import { LAG } from './statements.ts';
import { CHANNEL, onWake } from './wake.ts';

/**
 * Where others held shards when we were told of a row, it may lie in one of these and have come too late for them: so much
 * later a lane looks a second time.
 */
const CONTESTED_MS = 50;

/** With the deadline of one publish, far below the time after which the server ends a transaction that is idle (60 s). */
const BUDGET_MS = 2_000;

export interface RelayOptions {
  database: Database;
  publisher: Publisher;
  exchange: string;
  /** Rows in one transaction. Default 500. */
  batch?: number;
  /** Transactions at the same time, each with a connection to the database. Default 2. */
  lanes?: number;
  /** How often to look when nobody wakes us. Default 1,000. */
  pollMs?: number;
  instruments: Instruments;
  log: Log;
}

export interface OutboxLag {
  /** Rows waiting, those set aside included; counted up to 200,000. */
  readonly rows: number;
  /** Of these, rows the broker refused, with what waits behind them: no queue takes them, or it is full. */
  readonly deferred: number;
  /** Age of the oldest, 0 when there is none. */
  readonly seconds: number;
}

/**
 * Brings outbox rows to the broker, at least once and in order per aggregate, until it is stopped. Any number of
 * relays may run on one database. Broker or database away: it waits and goes on.
 */
export class OutboxRelay {
  readonly #options: Required<RelayOptions>;
  readonly #lanes: Promise<void>[] = [];
  readonly #sleepers = new Set<(woken: boolean) => void>();
  readonly #unwake: () => void;
  #stopped = false;
  #listener: Client | undefined;
  #listening: NodeJS.Timeout | undefined;
  /** Somebody woke us while no lane slept. */
  #woken = false;
  published = 0;
  /** NOTIFY from other processes arrives. */
  listening = false;

  constructor(options: RelayOptions) {
    this.#options = { batch: 500, lanes: 2, pollMs: 1_000, ...options };
    this.#unwake = onWake(options.database, () => this.wake());
    for (let lane = 0; lane < this.#options.lanes; lane += 1) this.#lanes.push(this.#run());
    void this.#listen();
  }

  /** Look now: one lane does, or the first to be free where none is. Answers whether there is a broker to publish to. */
  wake(): boolean {
    // The one that fell asleep last: the others stay asleep while one is enough.
    const sleeper = [...this.#sleepers].at(-1);
    if (sleeper === undefined) this.#woken = true;
    else sleeper(true);
    return this.#options.publisher.ready;
  }

  async lag(): Promise<OutboxLag> {
    const [row] = await this.#options.database.query<{ ready: number; deferred: number; seconds: number | null }>(LAG);
    const { ready = 0, deferred = 0, seconds } = row ?? {};
    return { rows: ready + deferred, deferred, seconds: Math.max(0, seconds ?? 0) };
  }

  /** Ends after the batches under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unwake();
    clearTimeout(this.#listening);
    for (const sleeper of this.#sleepers) sleeper(true);
    // A database that hangs rolls back by itself; the rows are still there.
    await within(10_000, Promise.all(this.#lanes));
    const listener = this.#listener;
    this.#listener = undefined;
    if (listener !== undefined) await within(1_000, listener.end());
  }

  async #run(): Promise<void> {
    const { database, publisher, exchange, batch, lanes, log } = this.#options;
    let woken = false;
    for (let failures = 0; !this.#stopped;) {
      if (!publisher.ready) {
        await this.#sleep(100);
        continue;
      }
      try {
        const options = {
          publisher,
          exchange,
          size: batch,
          shards: Math.ceil(SHARDS / lanes),
          deadlineMs: 10_000,
          budgetMs: BUDGET_MS,
        };
        const result = await database.transaction((tx) => relayBatch(tx, options));
        failures = 0;
        this.published += result.published;
        if (result.published > 0) this.#options.instruments.outboxPublished.inc({}, result.published);
        this.#report(result.refused);
        if (result.stalled) await this.#sleep(100);
        else if (!result.full) {
          const again = woken && result.contested;
          woken = await this.#sleep(again ? CONTESTED_MS : this.#options.pollMs);
        }
      } catch (error) {
        if (failures % 10 === 0)
          log.warn({ error: messageOf(error) }, 'outbox relay: the database does not answer; trying again');
        failures += 1;
        await this.#sleep(100 + fullJitter(failures, { baseMs: 100, capMs: 2_000 }));
      }
    }
  }

  /** Once for each row in the beginning, and now and then while it goes on. */
  #report(refused: BatchResult['refused']): void {
    const worth = refused.filter(({ row }) => row.refusals === 1 || row.refusals % 20 === 0);
    const [first] = worth;
    if (first === undefined) return;
    const { routing_key: routingKey, aggregate, refusals } = first.row;
    this.#options.log.warn(
      { rows: worth.length, routingKey, aggregate, refusals, error: messageOf(first.error) },
      'outbox rows were refused by the broker; they are kept and tried again',
    );
  }

  /** Resolves after so long, or with true when somebody wakes this lane. */
  #sleep(ms: number): Promise<boolean> {
    if (this.#stopped || this.#woken) {
      this.#woken = false;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const sleepers = this.#sleepers;
      const wake = (woken: boolean): void => {
        clearTimeout(timer);
        sleepers.delete(wake);
        resolve(woken);
      };
      const timer = setTimeout(wake, ms, false);
      sleepers.add(wake);
    });
  }

  /** NOTIFY from other processes, on a connection of its own; when it ends, another is made. */
  async #listen(): Promise<void> {
    if (this.#stopped) return;
    const client = new Client({
      connectionString: this.#options.database.url,
      application_name: `${this.#options.database.name} outbox relay`,
      keepAlive: true,
    });
    const again = (): void => {
      this.listening = false;
      if (this.#listener !== client && this.#listener !== undefined) return;
      this.#listener = undefined;
      if (!this.#stopped) this.#listening = setTimeout(() => void this.#listen(), 1_000);
    };
    client.on('error', () => undefined);
    client.on('notification', () => void this.wake());
    try {
      this.#listener = client;
      await client.connect();
      client.on('end', again);
      await client.query(`listen ${CHANNEL}`);
      this.listening = true;
      this.wake();
    } catch {
      // Not worth a word: polling goes on meanwhile, and the lanes report a database that is away.
      await within(1_000, client.end());
      again();
    }
  }
}
