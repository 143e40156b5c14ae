import type { Log } from '@keelson/persistence';
import type { ChannelModel, ConfirmChannel, Message } from 'amqplib';
import { setTimeout as pause } from 'node:timers/promises';
import { fullJitter } from '../connection/backoff.ts';
import { within, type AmqpConnection } from '../connection/connection.ts';
import { properties, type Envelope } from '../envelope/encode.ts';
import {
  BrokerBlockedError,
  ClosedError,
  PublishBufferFullError,
  PublishRejectedError,
  PublishUncertainError,
  UnroutableError,
} from '../errors.ts';
import { messageOf } from '../message-of.ts';
import { Fifo } from './fifo.ts';

export interface PublisherOptions {
  connection: AmqpConnection;
  /** Makes sure that what this publisher sends to exists; run on each new channel. */
  prepare?(channel: ConfirmChannel, model: ChannelModel): Promise<void>;
  /** Messages sent and not yet confirmed, at most. */
  window: number;
  /** Their bodies together, at most. */
  windowBytes: number;
  /** Messages waiting to be sent, at most; one more is refused at once. */
  waiting: number;
  waitingBytes: number;
  /** What becomes of messages in flight when the connection is lost: told to the caller, or sent again. */
  onLoss: 'reject' | 'retry';
  log: Log;
}

interface Pending {
  readonly exchange: string;
  readonly envelope: Envelope;
  readonly mandatory: boolean;
  readonly deadline: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  returned: boolean;
  /** It was handed to a connection at least once. */
  sent: boolean;
  settled: boolean;
}

const SWEEP_MS = 50;

/**
 * Publishes with confirms in a window: many messages are under way at once, each promise settles with its own answer.
 * A promise always settles: on confirm, return, refusal, loss, deadline or close.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #waiting = new Fifo<Pending>();
  readonly #flying = new Set<Pending>();
  #waitingBytes = 0;
  #flyingBytes = 0;
  /** The one to send on; undefined as soon as it is known to be closing. */
  #channel: ConfirmChannel | undefined;
  /** The last one that came into use. */
  #opened: ConfirmChannel | undefined;
  #blocked: string | undefined;
  #lastLoss = 'no connection to the broker';
  #closed = false;
  #sweeper: NodeJS.Timeout | undefined;
  #idle: (() => void)[] = [];
  readonly #unlisten: () => void;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#unlisten = options.connection.listen({
      connected: (model) => this.#open(model),
      lost: (reason) => this.#lost(reason),
      blocked: (reason) => (this.#blocked = reason),
      unblocked: () => {
        this.#blocked = undefined;
        this.#pump();
      },
    });
  }

  /** Sent and not yet confirmed. */
  get inFlight(): number {
    return this.#flying.size;
  }

  /** Accepted and not yet sent. */
  get waiting(): number {
    return this.#waiting.length;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Can send now. */
  get ready(): boolean {
    return this.#channel !== undefined && this.#blocked === undefined;
  }

  /** Resolves when the broker has the message for good; see the errors for every other end. */
  publish(exchange: string, envelope: Envelope, options: { mandatory: boolean; deadlineMs: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        exchange,
        envelope,
        mandatory: options.mandatory,
        deadline: performance.now() + options.deadlineMs,
        resolve,
        reject,
        returned: false,
        sent: false,
        settled: false,
      };
      if (this.#closed) return reject(new ClosedError('this publisher was closed'));
      if (this.#waiting.length === 0 && this.#maySend()) this.#send(pending);
      else this.#wait(pending);
      this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS);
    });
  }

  /** Resolves when nothing is under way any more. */
  flushed(): Promise<void> {
    if (this.#flying.size === 0 && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Rejects what is still under way. Call {@link flushed} first to give it its chance. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unlisten();
    clearInterval(this.#sweeper);
    for (const pending of this.#flying) this.#fail(pending, uncertain(pending, 'the publisher was closed'));
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#fail(next, uncertain(next, 'the publisher was closed'));
    }
    this.#flying.clear();
    const channel = this.#channel;
    this.#channel = undefined;
    if (channel !== undefined) await within(2_000, channel.close());
  }

  async #open(model: ChannelModel): Promise<void> {
    const channel = await model.createConfirmChannel();
    let failure: string | undefined;
    channel.on('error', (error) => (failure = error.message));
    channel.on('return', (message) => this.#returned(message));
    // When the whole connection went, its own listener tells more, a moment later.
    channel.on('close', () => setImmediate(() => this.#channelClosed(channel, model, failure)));
    try {
      await this.#options.prepare?.(channel, model);
    } catch (error) {
      // Each attempt would leave one behind: the broker closes a channel only where the fault was on it.
      await within(2_000, channel.close());
      throw error;
    }
    if (this.#closed) return;
    this.#opened = channel;
    this.#channel = channel;
    this.#pump();
  }

  #channelClosed(channel: ConfirmChannel, model: ChannelModel, reason: string | undefined): void {
    // Of one that never came into use, whoever opened it hears by himself.
    if (this.#closed || this.#opened !== channel) return;
    const { connection, log } = this.#options;
    if (connection.model !== model) return;
    this.#opened = undefined;
    this.#lost(reason ?? 'the channel was closed');
    if (connection.state.state === 'blocked') this.#blocked = connection.state.reason;
    log.warn({ reason }, 'publishing channel closed by the broker; opening another');
    void this.#reopen(model);
  }

  async #reopen(model: ChannelModel): Promise<void> {
    for (let attempt = 0; this.#options.connection.model === model && !this.#closed; attempt += 1) {
      await pause(fullJitter(attempt, { baseMs: 50, capMs: 5_000 }));
      if (this.#options.connection.model !== model) return;
      try {
        return await this.#open(model);
      } catch (error) {
        this.#lastLoss = messageOf(error);
        if (attempt % 10 === 0) this.#options.log.error({ error: this.#lastLoss }, 'cannot publish; trying again');
      }
    }
  }

  #lost(reason: string): void {
    this.#channel = undefined;
    this.#blocked = undefined;
    this.#lastLoss = reason;
    const flying = [...this.#flying];
    this.#flying.clear();
    this.#flyingBytes = 0;
    if (this.#options.onLoss === 'reject') {
      for (const pending of flying) this.#fail(pending, uncertain(pending, `the connection was lost (${reason})`));
    } else {
      for (const pending of flying.toReversed()) {
        if (pending.settled) continue;
        pending.returned = false;
        this.#waiting.unshift(pending);
        this.#waitingBytes += pending.envelope.body.length;
      }
    }
    this.#checkIdle();
  }

  #maySend(): boolean {
    const { window, windowBytes } = this.#options;
    return (
      this.#channel !== undefined &&
      this.#blocked === undefined &&
      this.#flying.size < window &&
      this.#flyingBytes < windowBytes
    );
  }

  #wait(pending: Pending): void {
    const { waiting, waitingBytes } = this.#options;
    if (this.#waiting.length >= waiting || this.#waitingBytes + pending.envelope.body.length > waitingBytes) {
      const why = this.#blocked ?? (this.#channel === undefined ? this.#lastLoss : 'the broker confirms too slowly');
      pending.reject(
        new PublishBufferFullError(
          `${this.#waiting.length} messages (${this.#waitingBytes} bytes) wait already; allowed are ${waiting} (${waitingBytes} bytes): ${why}`,
        ),
      );
      return;
    }
    this.#waiting.push(pending);
    this.#waitingBytes += pending.envelope.body.length;
  }

  #pump(): void {
    while (this.#maySend()) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#waitingBytes -= next.envelope.body.length;
      if (!next.settled) this.#send(next);
    }
  }

  #send(pending: Pending): void {
    const channel = this.#channel;
    const { envelope } = pending;
    try {
      channel?.publish(
        pending.exchange,
        envelope.routingKey,
        envelope.body,
        properties(envelope, pending.mandatory),
        (error: unknown) => {
          // amqplib tells a refusal and a closed channel apart by the text alone; the latter is #lost's to handle.
          if (error !== null && messageOf(error) !== 'message nacked') return;
          if (this.#flying.delete(pending)) this.#confirmed(pending, error);
        },
      );
    } catch (error) {
      // The channel is closing: its 'close' event follows. An error in the message itself must reach the caller.
      if ((error as Error).name === 'IllegalOperationError') this.#requeue(pending);
      else this.#fail(pending, error as Error);
      return;
    }
    pending.sent = true;
    this.#flying.add(pending);
    this.#flyingBytes += envelope.body.length;
  }

  #requeue(pending: Pending): void {
    this.#channel = undefined;
    this.#waiting.unshift(pending);
    this.#waitingBytes += pending.envelope.body.length;
  }

  #confirmed(pending: Pending, error: unknown): void {
    this.#flyingBytes -= pending.envelope.body.length;
    const { exchange, envelope } = pending;
    if (error !== null && error !== undefined) this.#fail(pending, new PublishRejectedError(envelope.routingKey));
    else if (pending.returned) this.#fail(pending, new UnroutableError(exchange, envelope.routingKey));
    else if (!pending.settled) {
      pending.settled = true;
      pending.resolve();
    }
    this.#pump();
    this.#checkIdle();
  }

  /** RabbitMQ sends a return before the confirm of the same message, so marking it is enough. */
  #returned(message: Message): void {
    const { exchange, routingKey } = message.fields as { exchange: string; routingKey: string };
    for (const pending of this.#flying) {
      if (pending.returned || pending.envelope.id !== message.properties.messageId) continue;
      if (pending.exchange !== exchange || pending.envelope.routingKey !== routingKey) continue;
      pending.returned = true;
      return;
    }
  }

  #fail(pending: Pending, error: Error): void {
    if (pending.settled) return;
    pending.settled = true;
    pending.reject(error);
  }

  /** One timer for all deadlines: a timer each would cost more than the rest of publishing. */
  #sweep(): void {
    if (this.#flying.size === 0 && this.#waiting.length === 0) {
      clearInterval(this.#sweeper);
      this.#sweeper = undefined;
      return;
    }
    const now = performance.now();
    // Kept in the window until the broker answers: it may still be there.
    for (const pending of this.#flying) if (pending.deadline <= now) this.#overdue(pending);
    const overdue = this.#waiting.removeIf((pending) => pending.settled || pending.deadline <= now);
    for (const pending of overdue) {
      this.#waitingBytes -= pending.envelope.body.length;
      this.#overdue(pending);
    }
    this.#checkIdle();
  }

  #overdue(pending: Pending): void {
    const key = pending.envelope.routingKey;
    if (this.#blocked !== undefined)
      return this.#fail(pending, new BrokerBlockedError(key, this.#blocked, pending.sent));
    const why = this.#channel === undefined ? this.#lastLoss : 'the broker did not answer before the deadline';
    this.#fail(pending, uncertain(pending, why));
  }

  #checkIdle(): void {
    if (this.#flying.size > 0 || this.#waiting.length > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

const uncertain = (pending: Pending, why: string): PublishUncertainError =>
  new PublishUncertainError(pending.envelope.routingKey, why, pending.sent);
