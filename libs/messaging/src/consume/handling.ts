import type { MessageDefinition } from '@keelson/contracts';
import { isConnectionLoss, type Database, type Log, type Tx } from '@keelson/persistence';
import type { ConsumeMessage } from 'amqplib';
import { setTimeout as pause } from 'node:timers/promises';
import { fullJitter } from '../connection/backoff.ts';
import { countIn, KEELSON } from '../envelope/headers.ts';
import type { Received } from '../envelope/received.ts';
import { acceptedBy, routingKeysOf, type Accepted } from '../envelope/versions.ts';
import { contextFrom } from '../envelope/trace-context.ts';
import { messageOf } from '../message-of.ts';
import type { Instruments } from '../observe/instruments.ts';
import { inProcessSpan } from '../observe/spans.ts';
import type { Publisher } from '../publish/publisher.ts';
import type { DelaySettings } from '../topology/delays.ts';
import type { Parked } from './announce-parked.ts';
import { Cancellation } from './cancellation.ts';
import { decode, type Decoded } from './decode.ts';
import { park, sendLater } from './delayed.ts';
import { NonRetryableError, ThrottledError } from './failure.ts';
import { judge, type RetryPolicy, type Verdict } from './retry-policy.ts';
import { RunContext } from './run-context.ts';
import type { MessageContext } from './subscription.ts';
import { TimeLimiter } from './time-limiter.ts';

export interface HandlingOptions {
  publisher: Publisher;
  database: Database | undefined;
  queue: string;
  /** Notes in the transaction that the message was handled; false when it was before. Asked where `inbox` is true. */
  firstTime: (tx: Tx, message: Received) => Promise<boolean>;
  messages: readonly MessageDefinition[];
  handler: (message: Received, context: MessageContext) => Promise<void>;
  partitionBy: ((message: Received) => string | undefined) | undefined;
  /** A failing message is held here until it succeeds or is parked, instead of being put behind those that follow. */
  holds: boolean;
  /** What is given up is dropped instead of parked: its queue is gone with this process. */
  drops: boolean;
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

/** A delivery with what its bytes say. */
export interface Opened {
  readonly delivery: ConsumeMessage;
  /** Undefined when it ended the process so often that it is given up unread. */
  readonly decoded: Decoded | undefined;
  /** Of partitionBy. */
  readonly key: string | undefined;
  /** 1 for the first. */
  readonly attempt: number;
  /** Deliveries before this one that had no outcome. */
  readonly crashes: number;
}

/** From a delivery to its settlement: decode, handle, and on failure delay, hold or park. Knows no channel. */
export class Handling {
  readonly #options: HandlingOptions;
  readonly #accepted: ReadonlyMap<string, Accepted>;
  readonly #known: ReadonlySet<string>;
  readonly #limiter: TimeLimiter;

  constructor(options: HandlingOptions) {
    this.#options = options;
    this.#accepted = acceptedBy(options.messages);
    this.#limiter = new TimeLimiter(options.timeoutMs);
    this.#known = new Set(routingKeysOf(options.messages));
  }

  open(delivery: ConsumeMessage): Opened {
    const { queue, maxBytes, crashesPerAttempt, holds, partitionBy } = this.#options;
    const headers = (delivery.properties.headers ?? {}) as Record<string, unknown>;
    const attempt = countIn(headers[KEELSON.attempts]) + 1;
    const crashes = countIn(headers['x-delivery-count']);
    // What ends the process might be in its body: then it is not looked at again.
    if (crashes >= crashesPerAttempt && !holds)
      return { delivery, decoded: undefined, key: undefined, attempt, crashes };
    const decoded = decode(delivery, queue, this.#accepted, maxBytes);
    if (partitionBy === undefined || !decoded.ok) return { delivery, decoded, key: undefined, attempt, crashes };
    try {
      return { delivery, decoded, key: partitionBy(decoded.message), attempt, crashes };
    } catch (error) {
      const fault = { ok: false, code: 'no-partition-key', reason: `partitionBy threw: ${messageOf(error)}` } as const;
      return { delivery, decoded: fault, key: undefined, attempt, crashes };
    }
  }

  /**
   * `lost` when the broker took the message back, `closing` when the program wants to end: both stop waiting for
   * retries. `report` hears how each attempt ended, but for those that failed by the message's own fault.
   */
  async process(
    opened: Opened,
    lost: Cancellation,
    closing: Cancellation,
    report?: (outcome: 'handled' | 'failed') => void,
  ): Promise<Settlement> {
    const { delivery, decoded, crashes } = opened;
    const { crashesPerAttempt, holds } = this.#options;
    const { attempt } = opened;
    let failures: Failed = { attempts: attempt - 1, firstFailedAt: firstFailureOf(delivery) };
    const crashed = Math.floor(crashes / crashesPerAttempt);
    if (crashed > 0) {
      const error = new Error(`delivered ${crashes} times without an outcome: the process ended each time`);
      // One that keeps its order must not be put behind what follows it: as long as it may be tried, it is tried here.
      if (holds) failures = { ...failures, attempts: failures.attempts + crashed };
      const isOver = failures.attempts >= this.#options.retry.attempts;
      const attempts = holds ? failures.attempts : attempt;
      if (decoded === undefined || isOver)
        return this.#putAside(delivery, error, this.#judged(error, { ...failures, attempts }), 'poison-loop');
    }
    if (decoded?.ok !== true) {
      const error = new NonRetryableError(decoded?.reason ?? 'not decoded', { code: decoded?.code });
      return this.#putAside(delivery, error, this.#judged(error, { ...failures, attempts: attempt }));
    }
    const { message } = decoded;
    const about = {
      queue: message.queue,
      exchange: delivery.fields.exchange,
      routingKey: message.routingKey,
      id: message.id,
      bytes: delivery.content.length,
    };
    for (;;) {
      try {
        const outcome = await inProcessSpan(contextFrom(message.traceparent), about, () =>
          this.#timed(message, failures.attempts + 1, lost, closing),
        );
        this.#count(message.routingKey, outcome);
        report?.('handled');
        return 'ack';
      } catch (error) {
        if (lost.cancelled) return 'nothing';
        if (closing.cancelled && error === closing.reason) return 'give-back';
        const judged = this.#judged(error, { ...failures, attempts: failures.attempts + 1 });
        if (judged.verdict.action === 'retry') report?.('failed');
        if (!holds || judged.verdict.action === 'park') return this.#putAside(delivery, error, judged);
        failures = { attempts: judged.verdict.attempts, firstFailedAt: judged.firstFailedAt };
        if (!(await this.#held(message, error, judged.verdict, lost, closing)))
          return lost.cancelled ? 'nothing' : 'give-back';
      }
    }
  }

  /** Waits here and not in the broker, where others would overtake. False when the waiting was ended. */
  async #held(
    { id, queue }: Received,
    error: unknown,
    { delayMs, kind, attempts }: Extract<Verdict, { action: 'retry' }>,
    lost: Cancellation,
    closing: Cancellation,
  ): Promise<boolean> {
    const { instruments, log } = this.#options;
    log.warn(
      { queue, messageId: id, attempts, delayMs, error: messageOf(error) },
      'handler failed; held to keep the order',
    );
    instruments.retries.inc({ queue, kind });
    try {
      await lost.stopping(closing.pause(delayMs));
      return true;
    } catch {
      return false;
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
    const { database, inbox, handler, firstTime } = this.#options;
    const limit = new Cancellation();
    const forget = lost.onCancel((reason) => limit.cancel(reason));
    this.#limiter.begin(limit);
    const run = (tx?: Tx): Promise<void> => limit.stopping(handler(message, new RunContext(attempt, limit, tx)));
    try {
      if (!inbox || database === undefined) {
        await run();
        return 'handled';
      }
      return await database.transaction(async (tx) => {
        if (!(await firstTime(tx, message))) return 'duplicate';
        await run(tx);
        return 'handled';
      });
    } finally {
      this.#limiter.end(limit);
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

  #judged(error: unknown, { attempts, firstFailedAt }: Failed): Judged {
    const now = new Date();
    const first = firstFailedAt ?? now;
    const verdict = judge({ error, attempts, firstFailedAt: first }, this.#options.retry, now);
    return { verdict, attempts, firstFailedAt: first, now };
  }

  async #putAside(
    delivery: ConsumeMessage,
    error: unknown,
    { verdict, attempts, firstFailedAt, now }: Judged,
    code?: string,
  ): Promise<Settlement> {
    const { queue, publisher, delays, instruments, log } = this.#options;
    const messageId = String(delivery.properties.messageId ?? '');
    const key = String(delivery.properties.headers?.[KEELSON.routingKey] ?? delivery.fields.routingKey);
    if (this.#options.drops && verdict.action === 'park') {
      const { code: why, reason } = verdict;
      log.error({ queue, messageId, attempts, code: why, reason }, 'broadcast message dropped in this process');
      this.#count(key, 'dropped');
      return 'ack';
    }
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
    const message = this.#known.has(routingKey) ? routingKey : 'unknown';
    this.#options.instruments.consumed.inc({ queue: this.#options.queue, message, outcome });
  }
}

interface Failed {
  /** Failed attempts so far. */
  readonly attempts: number;
  readonly firstFailedAt: Date | undefined;
}

interface Judged {
  readonly verdict: Verdict;
  readonly attempts: number;
  readonly firstFailedAt: Date;
  readonly now: Date;
}

function firstFailureOf(delivery: ConsumeMessage): Date | undefined {
  const header: unknown = delivery.properties.headers?.[KEELSON.firstFailedAt];
  if (typeof header !== 'string') return undefined;
  const first = Date.parse(header);
  return Number.isNaN(first) ? undefined : new Date(first);
}

/** A handler's stack helps, that of a schema fault does not. */
const stackOf = (error: unknown): string | undefined =>
  error instanceof NonRetryableError ? undefined : (error as Error | undefined)?.stack;
