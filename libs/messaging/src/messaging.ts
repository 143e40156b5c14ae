import { EXCHANGE, messageParked, type MessageDefinition, type Payload } from '@keelson/contracts';
import { stderrLog, type Log } from '@keelson/persistence';
import type { ChannelModel } from 'amqplib';
import { AmqpConnection, within } from './connection/connection.ts';
import { announceParked } from './consume/announce-parked.ts';
import { Consumer, type ConsumerOptions } from './consume/consumer.ts';
import { defaultRetryPolicy } from './consume/retry-policy.ts';
import type { SubscribeOptions, Subscription } from './consume/subscription.ts';
import { encode } from './envelope/encode.ts';
import { traceparentOf } from './envelope/trace-context.ts';
import { ClosedError, MessagingError } from './errors.ts';
import { Housekeeping } from './observe/housekeeping.ts';
import { Instruments } from './observe/instruments.ts';
import { openTelemetryMetrics } from './observe/open-telemetry.ts';
import { endSpan, publishSpan } from './observe/spans.ts';
import type { MessagingHealth, MessagingOptions, PublishOptions, QueuePlan } from './options.ts';
import { OutboxRelay, type RelayOptions } from './outbox/relay.ts';
import { Publisher } from './publish/publisher.ts';
import { settled } from './settled.ts';
import { declareConsumer, declareExchange } from './topology/declare.ts';
import { defaultDelays } from './topology/delays.ts';
import { defaultQueueSettings } from './topology/queue.ts';

/** Not for programs: the way in for parkingLot's functions. */
export const PARKING = Symbol('keelson:parking');

/** Messages of one service: one connection to publish, one to consume, so that a blocked publisher stops no consumer. */
export class Messaging {
  /**
   * Connects. When the broker cannot be reached it resolves all the same and goes on trying: see {@link ready}.
   * Throws BrokerAccessError when the broker refuses us, TopologyMismatchError when the exchange is of another kind.
   */
  static async connect(options: MessagingOptions): Promise<Messaging> {
    const messaging = new Messaging(options);
    try {
      await Promise.all([messaging.#publishing.start(), messaging.#consuming.start()]);
    } catch (error) {
      await messaging.close(0);
      throw error;
    }
    return messaging;
  }

  readonly #options: MessagingOptions;
  readonly #log: Log;
  readonly #exchange: string;
  readonly #maxBytes: number;
  readonly #publishing: AmqpConnection;
  readonly #consuming: AmqpConnection;
  readonly #publisher: Publisher;
  readonly #consumers: Consumer[] = [];
  readonly #relays: OutboxRelay[] = [];
  readonly #instruments: Instruments;
  readonly #housekeeping: Housekeeping;
  #usesInbox = false;
  #closed: Promise<void> | undefined;

  private constructor(options: MessagingOptions) {
    this.#options = options;
    this.#log = options.log ?? stderrLog;
    this.#exchange = options.exchange ?? EXCHANGE;
    this.#maxBytes = options.maxMessageBytes ?? 1_048_576;
    this.#instruments = new Instruments(options.metrics ?? openTelemetryMetrics());
    const common = {
      url: options.url,
      service: options.service,
      heartbeatSeconds: options.heartbeatSeconds ?? 10,
      connectTimeoutMs: 5_000,
      reconnect: { baseMs: 100, capMs: 5_000 },
      log: this.#log,
    };
    this.#publishing = new AmqpConnection({ ...common, purpose: 'publish' });
    this.#consuming = new AmqpConnection({ ...common, purpose: 'consume' });
    this.#publisher = new Publisher({
      connection: this.#publishing,
      prepare: async (channel, model) => {
        await declareExchange(channel, this.#exchange);
        for (const plan of options.topology ?? []) await this.#declare(model, plan);
      },
      window: options.window ?? 1_000,
      windowBytes: 32 * 1_048_576,
      waiting: options.waiting?.messages ?? 10_000,
      waitingBytes: options.waiting?.bytes ?? 64 * 1_048_576,
      onLoss: options.onLoss ?? 'reject',
      log: this.#log,
    });
    this.#housekeeping = new Housekeeping({
      instruments: this.#instruments,
      publishing: this.#publishing,
      consuming: this.#consuming,
      publisher: this.#publisher,
      relays: this.#relays,
      inbox: () => (this.#usesInbox ? options.database : undefined),
      inboxRetentionDays: options.inboxRetentionDays ?? 14,
      log: this.#log,
    });
  }

  /**
   * Validates, sends, and resolves when the broker has stored the message. Rejects with InvalidMessageError,
   * MessageTooLargeError, UnroutableError, PublishRejectedError, PublishUncertainError, BrokerBlockedError,
   * PublishBufferFullError or ClosedError; never stays open longer than its deadline.
   */
  async publish<M extends MessageDefinition>(
    definition: M,
    payload: Payload<M>,
    options: PublishOptions = {},
  ): Promise<void> {
    this.#mustKnow(definition);
    const { deadlineMs = this.#options.publishDeadlineMs ?? 15_000, mandatory = true, ...attributes } = options;
    const startedAt = performance.now();
    const span = publishSpan(this.#exchange, definition.routingKey);
    let outcome = 'ok';
    try {
      const source = this.#options.service;
      const traceparent = traceparentOf(span.spanContext());
      const envelope = encode(definition, payload, { ...attributes, source, maxBytes: this.#maxBytes, traceparent });
      await this.#publisher.publish(this.#exchange, envelope, { mandatory, deadlineMs });
      endSpan(span);
    } catch (error) {
      outcome = error instanceof MessagingError ? error.code : 'error';
      endSpan(span, error);
      throw error;
    } finally {
      const seconds = (performance.now() - startedAt) / 1_000;
      this.#instruments.operation.observe({ destination: this.#exchange, outcome }, seconds);
      this.#instruments.sent.inc({ message: definition.routingKey, outcome });
    }
  }

  /** {@link publish} for many, all under way at once; what became of each, in the order given. Never rejects. */
  publishMany<M extends MessageDefinition>(
    messages: readonly { definition: M; payload: Payload<M>; options?: PublishOptions }[],
  ): Promise<PromiseSettledResult<void>[]> {
    return Promise.allSettled(
      messages.map(({ definition, payload, options }) => this.publish(definition, payload, options)),
    );
  }

  /**
   * Declares queue, parking lot and bindings, and hands messages to the handler. Throws TopologyMismatchError when the
   * queue exists otherwise. Without a connection it resolves at once and attaches when there is one.
   */
  async subscribe<const M extends MessageDefinition>(options: SubscribeOptions<M>): Promise<Subscription> {
    if (this.#closed !== undefined) throw new ClosedError('this Messaging was closed');
    for (const message of options.messages) this.#mustKnow(message);
    const concurrency = options.concurrency ?? 10;
    const { database } = this.#options;
    if (options.inbox === true && database === undefined) {
      throw new TypeError(`subscription ${options.queue} has inbox: true, but Messaging.connect got no database`);
    }
    const inbox = options.inbox ?? database !== undefined;
    this.#usesInbox ||= inbox;
    const consumer = new Consumer({
      connection: this.#consuming,
      publisher: this.#publisher,
      database,
      exchange: this.#exchange,
      queue: options.queue,
      messages: options.messages,
      handler: options.handler as ConsumerOptions['handler'],
      concurrency,
      prefetch: options.prefetch ?? concurrency * 2,
      inbox,
      retry: { ...defaultRetryPolicy, ...options.retry },
      timeoutMs: options.timeoutMs ?? 30_000,
      settings: { ...defaultQueueSettings, ...options.limits },
      delays: this.#options.delays ?? defaultDelays,
      maxBytes: this.#maxBytes,
      crashesPerAttempt: 3,
      checkMs: 15_000,
      instruments: this.#instruments,
      onParked: (parked) => {
        const { service, catalogue } = this.#options;
        const publish = (payload: Payload<typeof messageParked>) =>
          this.publish(messageParked, payload, { mandatory: false });
        void announceParked(parked, { service, catalogue, publish, log: this.#log });
      },
      log: this.#log,
    });
    this.#consumers.push(consumer);
    await consumer.start();
    return consumer;
  }

  /** Publishes what outbox() wrote into this service's database, until close. */
  async startOutboxRelay(
    options: Partial<Pick<RelayOptions, 'batch' | 'lanes' | 'pollMs'>> = {},
  ): Promise<OutboxRelay> {
    const { database } = this.#options;
    if (database === undefined)
      throw new TypeError('startOutboxRelay needs the database: pass it to Messaging.connect');
    const relay = new OutboxRelay({
      ...options,
      database,
      publisher: this.#publisher,
      exchange: this.#exchange,
      instruments: this.#instruments,
      log: this.#log,
    });
    this.#relays.push(relay);
    return relay;
  }

  /** Resolves when both connections are up; rejects with ClosedError. */
  async ready(): Promise<void> {
    await Promise.all([this.#publishing.whenConnected(), this.#consuming.whenConnected()]);
  }

  /** What works now; for readiness and for people. */
  health(): MessagingHealth {
    const consumers = this.#consumers.filter((consumer) => consumer.state !== 'closed');
    const publishing = this.#publishing.state;
    const consuming = this.#consuming.state;
    return {
      healthy:
        publishing.state === 'connected' &&
        (consuming.state === 'connected' || consuming.state === 'blocked') &&
        consumers.every((consumer) => consumer.state === 'attached'),
      publishing,
      consuming,
      consumers: consumers.map(({ queue, state, active }) => ({ queue, state, active })),
      inFlight: this.#publisher.inFlight,
      waiting: this.#publisher.waiting,
    };
  }

  /** For tests: resolves when nothing of this service is under way: no publish, no outbox row, nothing in its queues. */
  settled(): Promise<void> {
    return settled({
      publisher: this.#publisher,
      relays: this.#relays,
      consumers: this.#consumers,
      consuming: this.#consuming,
      delays: this.#options.delays ?? defaultDelays,
    });
  }

  /** The first half of {@link close}: no more messages are taken, running handlers end, relays stop. Publishing still works. */
  async drain(drainMs = 25_000): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.close(drainMs)));
    await Promise.all(this.#relays.map((relay) => relay.stop()));
  }

  /** Cancels consumers, waits for their handlers, gives back the rest, ends relays, flushes confirms, disconnects. */
  close(drainMs = 25_000): Promise<void> {
    this.#closed ??= this.#close(drainMs);
    return this.#closed;
  }

  /** What the parking lot's functions work with. */
  [PARKING](): { publisher: Publisher; connected: () => Promise<ChannelModel> } {
    return { publisher: this.#publisher, connected: () => this.#consuming.whenConnected() };
  }

  async #close(drainMs: number): Promise<void> {
    await within(1_000, this.#housekeeping.stop());
    await this.drain(drainMs);
    if (this.#publisher.ready) await within(drainMs, this.#publisher.flushed());
    await this.#publisher.close();
    await Promise.all([this.#publishing.close(), this.#consuming.close()]);
  }

  #mustKnow(definition: MessageDefinition): void {
    if (this.#options.catalogue[definition.routingKey] !== definition) {
      throw new TypeError(`message ${definition.routingKey} is not in the catalogue given to Messaging.connect`);
    }
  }

  async #declare(model: ChannelModel, { queue, messages, limits }: QueuePlan): Promise<void> {
    await declareConsumer(model, {
      exchange: this.#exchange,
      queue,
      routingKeys: messages.map((message) => message.routingKey),
      settings: { ...defaultQueueSettings, ...limits },
      delays: this.#options.delays ?? defaultDelays,
    });
  }
}
