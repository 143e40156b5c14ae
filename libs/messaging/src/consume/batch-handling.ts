import type { Database, Log, Tx } from '@keelson/persistence';
import type { ConsumeMessage } from 'amqplib';
import type { Received } from '../envelope/received.ts';
import { contextFrom } from '../envelope/trace-context.ts';
import { messageOf } from '../message-of.ts';
import type { Instruments } from '../observe/instruments.ts';
import { inBatchSpan } from '../observe/spans.ts';
import { Fifo } from '../publish/fifo.ts';
import { Cancellation } from './cancellation.ts';
import type { Processor } from './consumer.ts';
import type { Handling, Opened, Settlement } from './handling.ts';
import { RunContext } from './run-context.ts';
import type { BatchContext } from './subscription.ts';
import { ALONE_AT_ONCE } from './time-limits.ts';
import { TimeLimiter } from './time-limiter.ts';

export interface BatchHandlingOptions {
  /** For each message of a batch that failed, and for every one that failed before. */
  alone: Handling;
  /** Where the inbox is; undefined without one. */
  database: Database | undefined;
  queue: string;
  /** Notes in the transaction that the messages are handled; gives the ids of those that were not before. */
  firstTimes: (tx: Tx, ids: readonly string[]) => Promise<Set<string>>;
  handler: (messages: readonly Received[], context: BatchContext) => Promise<void>;
  /** Messages in one batch, at most. */
  size: number;
  /** Batches at the same time. */
  concurrency: number;
  timeoutMs: number;
  instruments: Instruments;
  log: Log;
}

interface Waiting {
  readonly opened: Opened;
  readonly message: Received;
  readonly lost: Cancellation;
  readonly closing: Cancellation;
  readonly report: ((outcome: 'handled' | 'failed') => void) | undefined;
  readonly settle: (settlement: Settlement | Promise<Settlement>) => void;
}

/**
 * Handles together what is there at the same time, in one transaction; waits for nothing to fill a batch. Where that
 * fails nothing of it stays, and each of its messages is handled by itself, so that one message harms no other.
 */
export class BatchHandling implements Processor<Opened> {
  readonly #options: BatchHandlingOptions;
  readonly #limiter: TimeLimiter;
  readonly #waiting = new Fifo<Waiting>();
  #running = 0;
  #isGathering = false;

  constructor(options: BatchHandlingOptions) {
    this.#options = options;
    this.#limiter = new TimeLimiter(options.timeoutMs);
  }

  open(delivery: ConsumeMessage): Opened {
    return this.#options.alone.open(delivery);
  }

  async process(
    opened: Opened,
    lost: Cancellation,
    closing: Cancellation,
    report?: (outcome: 'handled' | 'failed') => void,
  ): Promise<Settlement> {
    const { decoded, attempt, crashes } = opened;
    // What failed before, or ended the process, would only make its batch fail.
    if (decoded?.ok !== true || attempt > 1 || crashes > 0)
      return this.#options.alone.process(opened, lost, closing, report);
    return new Promise((settle) => {
      this.#waiting.push({ opened, message: decoded.message, lost, closing, report, settle });
      this.#gather();
    });
  }

  /** Deliveries come in bursts, one call each: the batch begins when the burst is over. */
  #gather(): void {
    if (this.#isGathering || this.#running >= this.#options.concurrency || this.#waiting.length === 0) return;
    this.#isGathering = true;
    setImmediate(() => {
      this.#isGathering = false;
      while (this.#running < this.#options.concurrency && this.#waiting.length > 0) {
        this.#running += 1;
        void this.#run(this.#next()).finally(() => {
          this.#running -= 1;
          this.#gather();
        });
      }
    });
  }

  #next(): Waiting[] {
    const batch: Waiting[] = [];
    while (batch.length < this.#options.size) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      if (next.lost.cancelled) next.settle('nothing');
      else if (next.closing.cancelled) next.settle('give-back');
      else batch.push(next);
    }
    return batch;
  }

  /** Never rejects. */
  async #run(batch: readonly Waiting[]): Promise<void> {
    if (batch.length === 0) return;
    try {
      const handled = await this.#handle(batch);
      for (const one of batch) {
        this.#count(one.message, handled.has(one) ? 'handled' : 'duplicate');
        one.report?.('handled');
        one.settle('ack');
      }
    } catch (error) {
      const { queue, log } = this.#options;
      if (batch.length > 1)
        log.warn({ queue, messages: batch.length, error: messageOf(error) }, 'batch failed; each message by itself');
      await this.#eachAlone(batch);
    }
  }

  async #eachAlone(batch: readonly Waiting[]): Promise<void> {
    const left = [...batch];
    const lane = async (): Promise<void> => {
      for (let one = left.shift(); one !== undefined; one = left.shift()) {
        if (one.lost.cancelled) one.settle('nothing');
        else if (one.closing.cancelled) one.settle('give-back');
        else {
          const settlement = this.#options.alone.process(one.opened, one.lost, one.closing, one.report);
          one.settle(settlement);
          await settlement.catch(() => undefined);
        }
      }
    };
    await Promise.all(Array.from({ length: ALONE_AT_ONCE }, lane));
  }

  /** Those whose effects are new; the others were handled before. */
  async #handle(batch: readonly Waiting[]): Promise<ReadonlySet<Waiting>> {
    const { queue, instruments } = this.#options;
    const limit = new Cancellation();
    const forget = batch.map(({ lost }) => lost.onCancel((reason) => limit.cancel(reason)));
    const startedAt = performance.now();
    let outcome = 'failed';
    this.#limiter.begin(limit);
    try {
      const senders = batch.map(({ message }) => contextFrom(message.traceparent));
      const handled = await inBatchSpan(senders, queue, () => this.#inTransaction(batch, limit));
      outcome = 'handled';
      return handled;
    } finally {
      this.#limiter.end(limit);
      for (const each of forget) each();
      instruments.process.observe({ queue, outcome }, (performance.now() - startedAt) / 1_000);
    }
  }

  async #inTransaction(batch: readonly Waiting[], limit: Cancellation): Promise<ReadonlySet<Waiting>> {
    const { database, handler, firstTimes } = this.#options;
    const run = (of: readonly Waiting[], tx?: Tx): Promise<void> => {
      const messages = of.map(({ message }) => message);
      return limit.stopping(handler(messages, new RunContext(1, limit, tx)));
    };
    if (database === undefined) {
      await run(batch);
      return new Set(batch);
    }
    return database.transaction(async (tx) => {
      const ids = await firstTimes(
        tx,
        batch.map(({ message }) => message.id),
      );
      // Of two with one id in the same batch, the first.
      const first = batch.filter(({ message }) => ids.delete(message.id));
      if (first.length > 0) await run(first, tx);
      return new Set(first);
    });
  }

  #count({ routingKey, time }: Received, outcome: 'handled' | 'duplicate'): void {
    const { queue, instruments } = this.#options;
    instruments.consumed.inc({ queue, message: routingKey, outcome });
    const ageMs = Date.now() - time.getTime();
    if (outcome === 'handled' && ageMs >= 0) instruments.endToEnd.observe({ queue }, ageMs / 1_000);
  }
}
