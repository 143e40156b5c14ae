import type { MessageDefinition } from '@keelson/contracts';
import { isConnectionLoss, type Database, type Log, type Tx } from '@keelson/persistence';
import type { ConsumeMessage } from 'amqplib';
import { setTimeout as pause } from 'node:timers/promises';
import { fullJitter } from '../connection/backoff.ts';
import { countIn, KEELSON } from '../envelope/headers.ts';
import type { Received } from '../envelope/received.ts';
import { contextFrom } from '../envelope/trace-context.ts';
import { messageOf } from '../message-of.ts';
import type { Instruments } from '../observe/instruments.ts';
import { inProcessSpan } from '../observe/spans.ts';
import type { Publisher } from '../publish/publisher.ts';
import type { DelaySettings } from '../topology/delays.ts';
import type { Parked } from './announce-parked.ts';
import { Cancellation } from './cancellation.ts';
import { decode } from './decode.ts';
import { park, sendLater } from './delayed.ts';
import { NonRetryableError, ThrottledError } from './failure.ts';
import { firstTime } from './inbox.ts';
import { judge, type RetryPolicy } from './retry-policy.ts';
import type { MessageContext } from './subscription.ts';

export interface HandlingOptions {
  publisher: Publisher;
  database: Database | undefined;
  queue: string;
  messages: readonly MessageDefinition[];
  handler: (message: Received, context: MessageContext) => Promise<void>;
  inbox: boolean;
  retry: RetryPolicy;
  timeoutMs: number;
  delays: DelaySettings;
  maxBytes: number;
  /** Deliveries without an outcome (the process died each time) that count as one failed attempt. */
  crashesPerAttempt: number;
  instruments: Instruments;
  onParked: (parked: Parked) => void;
  log: Log;
}

/** What to tell the broker: done with it, take it back, or nothing, since it took it back by itself. */
export type Settlement = 'ack' | 'give-back' | 'nothing';

/** From a delivery to its settlement: decode, handle, and on failure delay or park. Knows no channel. */
export class Handling {
  readonly #options: HandlingOptions;
  readonly #byType: ReadonlyMap<string, MessageDefinition>;

  constructor(options: HandlingOptions) {
    this.#options = options;
    this.#byType = new Map(options.messages.map((message) => [message.type, message]));
  }

  /** `lost` when the broker took the message back, `closing` when the program wants to end: both stop waiting for retries. */
  async process(delivery: ConsumeMessage, lost: Cancellation, closing: Cancellation): Promise<Settlement> {
    const headers = (delivery.properties.headers ?? {}) as Record<string, unknown>;
    const attempt = countIn(headers[KEELSON.attempts]) + 1;
    const crashes = countIn(headers['x-delivery-count']);
    if (crashes >= this.#options.crashesPerAttempt) {
      const error = new Error(`delivered ${crashes} times without an outcome: the process ended each time`);
      return this.#failed(delivery, error, attempt, 'poison-loop');
    }
    const decoded = decode(delivery, this.#options.queue, this.#byType, this.#options.maxBytes);
    if (!decoded.ok)
      return this.#failed(delivery, new NonRetryableError(decoded.reason, { code: decoded.code }), attempt);
    const { message } = decoded;
    const { fields, content } = delivery;
    const about = {
      queue: message.queue,
      exchange: fields.exchange,
      routingKey: message.routingKey,
      id: message.id,
      bytes: content.length,
    };
    try {
      const outcome = await inProcessSpan(contextFrom(headers['traceparent']), about, () =>
        this.#timed(message, attempt, lost, closing),
      );
      this.#count(message.definition.routingKey, outcome);
      return 'ack';
    } catch (error) {
      if (lost.cancelled) return 'nothing';
      if (closing.cancelled && error === closing.reason) return 'give-back';
      return this.#failed(delivery, error, attempt);
    }
  }

  async #timed(
    message: Received,
    attempt: number,
    lost: Cancellation,
    closing: Cancellation,
  ): Promise<'handled' | 'duplicate'> {
    const { instruments } = this.#options;
    const startedAt = performance.now();
    let outcome = 'failed';
    try {
      const handled = await this.#tries(message, attempt, lost, closing);
      outcome = handled;
      return handled;
    } finally {
      instruments.process.observe({ queue: message.queue, outcome }, (performance.now() - startedAt) / 1_000);
      const ageMs = Date.now() - message.time.getTime();
      if (outcome === 'handled' && ageMs >= 0) instruments.endToEnd.observe({ queue: message.queue }, ageMs / 1_000);
    }
  }

  /** Runs the handler, again after the quick delays, and again for as long as the database is away. */
  async #tries(
    message: Received,
    attempt: number,
    lost: Cancellation,
    closing: Cancellation,
  ): Promise<'handled' | 'duplicate'> {
    const { retry, database } = this.#options;
    for (let quick = 0; ;) {
      try {
        return await this.#once(message, attempt, lost);
      } catch (error) {
        if (lost.cancelled) throw error;
        if (database !== undefined && isConnectionLoss(error)) {
          if (await this.#databaseWasAway(database, error, lost, closing)) continue;
        }
        const delayMs = retry.quickDelaysMs[quick];
        if (delayMs === undefined || error instanceof NonRetryableError || error instanceof ThrottledError) throw error;
        quick += 1;
        await lost.stopping(closing.pause(delayMs));
      }
    }
  }

  async #once(message: Received, attempt: number, lost: Cancellation): Promise<'handled' | 'duplicate'> {
    const { database, inbox, handler, timeoutMs, queue } = this.#options;
    const limit = new Cancellation();
    const forget = lost.onCancel((reason) => limit.cancel(reason));
    const timer = setTimeout(() => limit.cancel(new Error(`the handler ran longer than ${timeoutMs} ms`)), timeoutMs);
    const run = (tx?: Tx): Promise<void> => limit.stopping(handler(message, new RunContext(attempt, limit, tx)));
    try {
      if (!inbox || database === undefined) {
        await run();
        return 'handled';
      }
      return await database.transaction(async (tx) => {
        if (!(await firstTime(tx, queue, message.id))) return 'duplicate';
        await run(tx);
        return 'handled';
      });
    } finally {
      clearTimeout(timer);
      forget();
    }
  }

  /**
   * A database that is away is no fault of the message: hold it, and do not count. Holding it also keeps the broker
   * from handing over more than the prefetch. False where the database answers at once: then the handler lost some
   * other connection, or one alone was cut, and the failure is one like any other.
   */
  async #databaseWasAway(
    database: Database,
    reason: unknown,
    lost: Cancellation,
    closing: Cancellation,
  ): Promise<boolean> {
    const { queue, log } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await lost.stopping(closing.stopping(database.ping()));
        return attempt > 0;
      } catch (error) {
        if (!isConnectionLoss(error)) throw error;
      }
      if (attempt === 0) log.warn({ queue, reason: messageOf(reason) }, 'database away: messages wait');
      await lost.stopping(closing.pause(100 + fullJitter(attempt, { baseMs: 100, capMs: 2_000 })));
    }
  }

  async #failed(delivery: ConsumeMessage, error: unknown, attempts: number, code?: string): Promise<Settlement> {
    const { queue, publisher, delays, retry, instruments, log } = this.#options;
    const now = new Date();
    const first = Date.parse(String(delivery.properties.headers?.[KEELSON.firstFailedAt]));
    const firstFailedAt = Number.isNaN(first) ? now : new Date(first);
    const verdict = judge({ error, attempts, firstFailedAt }, retry, now);
    const messageId = String(delivery.properties.messageId ?? '');
    const key = String(delivery.properties.headers?.[KEELSON.routingKey] ?? delivery.fields.routingKey);
    try {
      if (verdict.action === 'retry') {
        const { delayMs, kind } = verdict;
        const failures = { attempts: verdict.attempts, firstFailedAt, lastFailedAt: now };
        await sendLater(publisher, delivery, { queue, delayMs, delays, failures, reason: messageOf(error) });
        log.warn(
          { queue, messageId, attempts, delayMs, error: messageOf(error) },
          'handler failed; trying again later',
        );
        instruments.retries.inc({ queue, kind });
        this.#count(key, 'retried');
      } else {
        const failures = { attempts, firstFailedAt, lastFailedAt: now };
        const parkedAs = verdict.code === 'attempts-exhausted' ? (code ?? verdict.code) : verdict.code;
        const { reason } = verdict;
        await park(publisher, delivery, { queue, code: parkedAs, reason, stack: stackOf(error), failures });
        log.error({ queue, messageId, attempts, code: parkedAs, reason }, 'message parked');
        instruments.parked.inc({ queue, code: parkedAs });
        this.#count(key, 'parked');
        this.#options.onParked({ queue, delivery, code: parkedAs, reason, failures });
      }
      return 'ack';
    } catch (failure) {
      // The copy is not certain to be safe, so the original stays: it is delivered again.
      log.error(
        { queue, messageId, error: messageOf(failure) },
        'a failed message could not be put aside; it goes back to its queue',
      );
      await pause(500 * Math.random());
      return 'give-back';
    }
  }

  /** Labelled by what we know: a stranger's routing key must not make a new series. */
  #count(routingKey: string, outcome: string): void {
    const known = this.#options.messages.some((message) => message.routingKey === routingKey);
    this.#options.instruments.consumed.inc({
      queue: this.#options.queue,
      message: known ? routingKey : 'unknown',
      outcome,
    });
  }
}

/** A handler's stack helps, that of a schema fault does not. */
const stackOf = (error: unknown): string | undefined =>
  error instanceof NonRetryableError ? undefined : (error as Error | undefined)?.stack;

class RunContext implements MessageContext {
  readonly attempt: number;
  readonly tx: Tx | undefined;
  readonly #limit: Cancellation;

  constructor(attempt: number, limit: Cancellation, tx: Tx | undefined) {
    this.attempt = attempt;
    this.#limit = limit;
    this.tx = tx;
  }

  get signal(): AbortSignal {
    return this.#limit.signal;
  }
}
