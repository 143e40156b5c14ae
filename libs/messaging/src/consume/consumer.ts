import type { MessageDefinition } from '@keelson/contracts';
import { isConnectionLoss, type Database, type Log, type Tx } from '@keelson/persistence';
import { context as otel } from '@opentelemetry/api';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { setTimeout as pause } from 'node:timers/promises';
import { fullJitter } from '../connection/backoff.ts';
import { within, type AmqpConnection } from '../connection/connection.ts';
import { KEELSON } from '../envelope/headers.ts';
import type { Received } from '../envelope/received.ts';
import { contextFrom } from '../envelope/trace-context.ts';
import { TopologyMismatchError } from '../errors.ts';
import { messageOf } from '../message-of.ts';
import { Fifo } from '../publish/fifo.ts';
import type { Publisher } from '../publish/publisher.ts';
import { declareConsumer } from '../topology/declare.ts';
import type { DelaySettings } from '../topology/delays.ts';
import type { QueueSettings } from '../topology/queue.ts';
import { decode } from './decode.ts';
import { park, sendLater, type Failures } from './delayed.ts';
import { NonRetryableError } from './failure.ts';
import { firstTime } from './inbox.ts';
import { judge, type RetryPolicy } from './retry-policy.ts';
import type { MessageContext, Subscription, SubscriptionState } from './subscription.ts';

export interface ConsumerOptions {
  connection: AmqpConnection;
  publisher: Publisher;
  database: Database | undefined;
  exchange: string;
  queue: string;
  messages: readonly MessageDefinition[];
  handler: (message: Received, context: MessageContext) => Promise<void>;
  concurrency: number;
  prefetch: number;
  inbox: boolean;
  retry: RetryPolicy;
  timeoutMs: number;
  settings: QueueSettings;
  delays: DelaySettings;
  maxBytes: number;
  /** Deliveries without an outcome (the process died each time) that count as one failed attempt. */
  crashesPerAttempt: number;
  onParked: (parked: { delivery: ConsumeMessage; code: string; reason: string; failures: Failures }) => void;
  log: Log;
}

interface Delivery {
  readonly message: ConsumeMessage;
  readonly channel: Channel;
}

/** One queue's consumer: a channel of its own, attached again after every loss, until it is closed. */
export class Consumer implements Subscription {
  readonly #options: ConsumerOptions;
  readonly #byType: ReadonlyMap<string, MessageDefinition>;
  readonly #buffer = new Fifo<Delivery>();
  readonly #running = new Map<Promise<void>, AbortController>();
  readonly #closing = new AbortController();
  #channel: Channel | undefined;
  #tag = '';
  #state: SubscriptionState = 'attaching';
  readonly #unlisten: () => void;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.#byType = new Map(options.messages.map((message) => [message.type, message]));
    this.#unlisten = options.connection.listen({
      connected: (model) => void this.#attachUntilDone(model),
      lost: () => this.#detached(),
    });
  }

  get queue(): string {
    return this.#options.queue;
  }

  get state(): SubscriptionState {
    return this.#state;
  }

  get active(): number {
    return this.#running.size;
  }

  get buffered(): number {
    return this.#buffer.length;
  }

  /** First attachment. Throws TopologyMismatchError; without a connection it resolves, and attaches once there is one. */
  async start(): Promise<void> {
    const model = this.#options.connection.model;
    if (model === undefined) return;
    try {
      await this.#attach(model);
    } catch (error) {
      if (error instanceof TopologyMismatchError) {
        await this.close(0);
        throw error;
      }
      void this.#attachUntilDone(model);
    }
  }

  async close(drainMs = 25_000): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#unlisten();
    const channel = this.#channel;
    if (channel !== undefined) await within(2_000, channel.cancel(this.#tag));
    for (let next = this.#buffer.shift(); next !== undefined; next = this.#buffer.shift()) giveBack(next);
    this.#closing.abort();
    await within(drainMs, Promise.all(this.#running.keys()));
    if (this.#running.size > 0) {
      this.#options.log.warn(
        { queue: this.queue, abandoned: this.#running.size },
        'handlers did not end in time; their messages will be delivered again',
      );
      for (const abort of this.#running.values()) abort.abort(new Error('the process is shutting down'));
    }
    this.#channel = undefined;
    if (channel !== undefined) await within(2_000, channel.close());
  }

  async #attachUntilDone(model: ChannelModel): Promise<void> {
    for (let attempt = 0; this.#state !== 'closed' && this.#options.connection.model === model; attempt += 1) {
      try {
        await this.#attach(model);
        return;
      } catch (error) {
        if (attempt % 10 === 0)
          this.#options.log.error({ queue: this.queue, error: messageOf(error) }, 'cannot consume; trying again');
        await pause(fullJitter(attempt, { baseMs: 100, capMs: 5_000 }));
      }
    }
  }

  async #attach(model: ChannelModel): Promise<void> {
    const { exchange, queue, messages, settings, delays, prefetch } = this.#options;
    await declareConsumer(model, {
      exchange,
      queue,
      routingKeys: messages.map((message) => message.routingKey),
      settings,
      delays,
    });
    const channel = await model.createChannel();
    channel.on('error', (error) =>
      this.#options.log.warn({ queue, error: error.message }, 'consuming channel closed by the broker'),
    );
    channel.on('close', () => setImmediate(() => this.#lostChannel(channel, model)));
    await channel.prefetch(prefetch);
    const { consumerTag } = await channel.consume(queue, (message) => this.#delivered(channel, model, message), {
      noAck: false,
    });
    this.#channel = channel;
    this.#tag = consumerTag;
    if (this.#state === 'attaching') this.#state = 'attached';
  }

  #lostChannel(channel: Channel, model: ChannelModel): void {
    if (this.#channel !== channel || this.#state === 'closed') return;
    this.#detached();
    void this.#attachUntilDone(model);
  }

  /** The broker delivers everything unsettled again: what waits here is stale, what runs no longer counts. */
  #detached(): void {
    this.#channel = undefined;
    if (this.#state === 'attached') this.#state = 'attaching';
    this.#buffer.removeIf(() => true);
    for (const abort of this.#running.values())
      abort.abort(new Error('the broker took the message back: the channel was lost'));
  }

  #delivered(channel: Channel, model: ChannelModel, message: ConsumeMessage | null): void {
    if (message === null) {
      // basic.cancel: the queue was deleted or lost its leader.
      this.#options.log.warn({ queue: this.queue }, 'the broker cancelled the consumer; attaching again');
      if (this.#channel === channel) this.#detached();
      void within(2_000, channel.close()).then(() => this.#attachUntilDone(model));
      return;
    }
    if (this.#state === 'closed') return giveBack({ message, channel });
    this.#buffer.push({ message, channel });
    this.#pump();
  }

  #pump(): void {
    while (this.#running.size < this.#options.concurrency) {
      const next = this.#buffer.shift();
      if (next === undefined) return;
      const abort = new AbortController();
      const run = this.#process(next, abort)
        .catch((error: unknown) =>
          this.#options.log.error({ queue: this.queue, error: messageOf(error) }, 'a delivery could not be settled'),
        )
        .finally(() => {
          this.#running.delete(run);
          this.#pump();
        });
      this.#running.set(run, abort);
    }
  }

  async #process(delivery: Delivery, abort: AbortController): Promise<void> {
    const { message } = delivery;
    const headers = (message.properties.headers ?? {}) as Record<string, unknown>;
    const failedBefore = Number(headers[KEELSON.attempts] ?? 0);
    const crashes = Number(headers['x-delivery-count'] ?? 0);
    if (crashes >= this.#options.crashesPerAttempt) {
      const error = new Error(`delivered ${crashes} times without an outcome: the process ended each time`);
      return this.#failed(delivery, error, failedBefore + 1, 'poison-loop');
    }
    const decoded = decode(message, this.queue, this.#byType, this.#options.maxBytes);
    if (!decoded.ok)
      return this.#failed(delivery, new NonRetryableError(decoded.reason, { code: decoded.code }), failedBefore + 1);
    try {
      await otel.with(contextFrom(headers['traceparent']), () =>
        this.#handle(decoded.message, failedBefore + 1, abort),
      );
    } catch (error) {
      if (abort.signal.aborted && this.#channel !== delivery.channel) return;
      return this.#failed(delivery, error, failedBefore + 1);
    }
    settle(() => delivery.channel.ack(message));
  }

  /** Runs the handler, again after the quick delays, and again for as long as the database is away. */
  async #handle(message: Received, attempt: number, abort: AbortController): Promise<void> {
    const { quickDelaysMs } = this.#options.retry;
    for (let quick = 0; ; quick += 1) {
      try {
        return await this.#once(message, attempt, abort);
      } catch (error) {
        if (abort.signal.aborted) throw error;
        if (this.#options.database !== undefined && isConnectionLoss(error)) {
          await this.#databaseBack(this.#options.database, error, abort.signal);
          quick -= 1;
          continue;
        }
        const delayMs = quickDelaysMs[quick];
        if (delayMs === undefined || error instanceof NonRetryableError || (error as Error)?.name === 'ThrottledError')
          throw error;
        await pause(delayMs, undefined, { signal: abort.signal });
      }
    }
  }

  async #once(message: Received, attempt: number, outer: AbortController): Promise<void> {
    const { database, inbox, handler, timeoutMs, queue } = this.#options;
    const limit = new AbortController();
    const signal = AbortSignal.any([outer.signal, limit.signal]);
    const timer = setTimeout(() => limit.abort(new Error(`the handler ran longer than ${timeoutMs} ms`)), timeoutMs);
    const run = (tx?: Tx): Promise<void> => untilAborted(handler(message, { tx, signal, attempt }), signal);
    try {
      if (!inbox || database === undefined) return await run();
      await database.transaction(async (tx) => {
        if (await firstTime(tx, queue, message.id)) await run(tx);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** A database that is away is no fault of the message: hold it, do not count. Holding also stops further deliveries. */
  async #databaseBack(database: Database, reason: unknown, signal: AbortSignal): Promise<void> {
    this.#options.log.warn({ queue: this.queue, reason: messageOf(reason) }, 'database away: messages wait');
    for (let attempt = 1; ; attempt += 1) {
      await pause(100 + fullJitter(attempt, { baseMs: 100, capMs: 2_000 }), undefined, {
        signal: AbortSignal.any([signal, this.#closing.signal]),
      });
      try {
        return await database.ping();
      } catch (error) {
        if (!isConnectionLoss(error)) throw error;
      }
    }
  }

  async #failed(delivery: Delivery, error: unknown, attempts: number, code?: string): Promise<void> {
    const { message } = delivery;
    const { queue, publisher, delays, retry, log } = this.#options;
    if (this.#closing.signal.aborted && (error as Error)?.name === 'AbortError') return giveBack(delivery);
    const now = new Date();
    const first = Date.parse(String(message.properties.headers?.[KEELSON.firstFailedAt]));
    const firstFailedAt = Number.isNaN(first) ? now : new Date(first);
    const verdict = judge({ error, attempts, firstFailedAt }, retry, now);
    try {
      if (verdict.action === 'retry') {
        const failures = { attempts: verdict.attempts, firstFailedAt, lastFailedAt: now };
        log.warn(
          {
            queue,
            messageId: message.properties.messageId,
            attempts,
            delayMs: verdict.delayMs,
            error: messageOf(error),
          },
          'handler failed; trying again later',
        );
        await sendLater(publisher, message, {
          queue,
          delayMs: verdict.delayMs,
          delays,
          failures,
          reason: messageOf(error),
        });
      } else {
        const failures = { attempts, firstFailedAt, lastFailedAt: now };
        const parkedAs = verdict.code === 'attempts-exhausted' ? (code ?? verdict.code) : verdict.code;
        await park(publisher, message, {
          queue,
          code: parkedAs,
          reason: verdict.reason,
          stack: stackOf(error),
          failures,
        });
        log.error(
          { queue, messageId: message.properties.messageId, attempts, code: parkedAs, reason: verdict.reason },
          'message parked',
        );
        this.#options.onParked({ delivery: message, code: parkedAs, reason: verdict.reason, failures });
      }
    } catch (failure) {
      // The copy is not certain to be safe, so the original stays: it is delivered again.
      log.error(
        { queue, error: messageOf(failure) },
        'a failed message could not be put aside; it goes back to its queue',
      );
      await pause(fullJitter(3, { baseMs: 100, capMs: 1_000 }));
      return giveBack(delivery);
    }
    settle(() => delivery.channel.ack(message));
  }
}

/** A message's own stack helps, a schema fault's does not. */
const stackOf = (error: unknown): string | undefined =>
  error instanceof NonRetryableError ? undefined : (error as Error)?.stack;

const giveBack = (delivery: Delivery): void => settle(() => delivery.channel.nack(delivery.message, false, true));

/** On a closed channel there is nothing to settle: the broker has taken the message back already. */
function settle(action: () => void): void {
  try {
    action();
  } catch (error) {
    if ((error as Error).name !== 'IllegalOperationError') throw error;
  }
}

/** Rejects with the signal's reason as soon as it is aborted, though the work may go on. */
function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.reject(signal.reason as Error);
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
