import { EXCHANGE, messageParked, type MessageDefinition, type Payload } from '@keelson/contracts';
import { stderrLog, type Database, type Log } from '@keelson/persistence';
import type { ChannelModel } from 'amqplib';
import { AmqpConnection, type ConnectionState } from './connection/connection.ts';
import { Consumer, type ConsumerOptions } from './consume/consumer.ts';
import { defaultRetryPolicy } from './consume/retry-policy.ts';
import type { SubscribeOptions, Subscription } from './consume/subscription.ts';
import { encode } from './envelope/encode.ts';
import { ClosedError } from './errors.ts';
import { OutboxRelay, type RelayOptions } from './outbox/relay.ts';
import { Publisher } from './publish/publisher.ts';
import { declareConsumer } from './topology/declare.ts';
import { defaultDelays, type DelaySettings } from './topology/delays.ts';
import { defaultQueueSettings } from './topology/queue.ts';

export interface MessagingOptions {
  /** `amqp://user:password@host:port/vhost` */
  url: string;
  /** CloudEvents source, connection name, first part of queue names. */
  service: string;
  /** Routing key -> definition: all this program may publish or receive. */
  catalogue: Readonly<Record<string, MessageDefinition>>;
  /** Needed for inbox and outbox. */
  database?: Database;
  exchange?: string;
  /** Unconfirmed messages at the same time. Default 1,000. */
  window?: number;
  maxMessageBytes?: number;
  /** How long a publish may take in all, unless it says otherwise. Default 15,000. */
  publishDeadlineMs?: number;
  onLoss?: 'reject' | 'retry';
  heartbeatSeconds?: number;
  delays?: DelaySettings;
  /**
   * Queues that must be there before anything is published, also those that other processes consume: a message for a
   * role that was never started then waits for it, instead of reaching only the roles that were.
   */
  topology?: readonly QueuePlan[];
  log?: Log;
}

/** A queue with what is bound to it; the same as its {@link SubscribeOptions} say. */
export type QueuePlan = Pick<SubscribeOptions, 'queue' | 'messages' | 'limits'>;

export interface PublishOptions {
  /** Partition key: messages with the same key belong in order. */
  key?: string;
  /** CloudEvents id; give the same again when you publish again after PublishUncertainError. */
  id?: string;
  subject?: string;
  deadlineMs?: number;
  /** False: having no receiver is fine. Default true. */
  mandatory?: boolean;
}

export interface MessagingHealth {
  readonly healthy: boolean;
  readonly publishing: ConnectionState;
  readonly consuming: ConnectionState;
  readonly consumers: readonly { readonly queue: string; readonly state: string; readonly active: number }[];
  readonly inFlight: number;
  readonly waiting: number;
}

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
  #closed: Promise<void> | undefined;

  private constructor(options: MessagingOptions) {
    this.#options = options;
    this.#log = options.log ?? stderrLog;
    this.#exchange = options.exchange ?? EXCHANGE;
    this.#maxBytes = options.maxMessageBytes ?? 1_048_576;
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
        await channel.assertExchange(this.#exchange, 'topic', { durable: true });
        for (const plan of options.topology ?? []) await this.#declare(model, plan);
      },
      window: options.window ?? 1_000,
      windowBytes: 32 * 1_048_576,
      waiting: 10_000,
      waitingBytes: 64 * 1_048_576,
      onLoss: options.onLoss ?? 'reject',
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
    const { key, id, subject, deadlineMs = this.#options.publishDeadlineMs ?? 15_000, mandatory = true } = options;
    const envelope = encode(definition, payload, {
      source: this.#options.service,
      maxBytes: this.#maxBytes,
      id,
      key,
      subject,
    });
    return this.#publisher.publish(this.#exchange, envelope, { mandatory, deadlineMs });
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
      inbox: options.inbox ?? database !== undefined,
      retry: { ...defaultRetryPolicy, ...options.retry },
      timeoutMs: options.timeoutMs ?? 30_000,
      settings: { ...defaultQueueSettings, ...options.limits },
      delays: this.#options.delays ?? defaultDelays,
      maxBytes: this.#maxBytes,
      crashesPerAttempt: 3,
      onParked: (parked) => this.#announceParked(options.queue, parked),
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
      log: this.#log,
    });
    this.#relays.push(relay);
    return relay;
  }

  /** Resolves when both connections are up; rejects with ClosedError. */
  async ready(): Promise<void> {
    await Promise.all([this.#publishing.whenConnected(), this.#consuming.whenConnected()]);
  }

  health(): MessagingHealth {
    const consumers = this.#consumers.filter((consumer) => consumer.state !== 'closed');
    const publishing = this.#publishing.state;
    const consuming = this.#consuming.state;
    return {
      healthy:
        publishing.state === 'connected' &&
        consuming.state !== 'connecting' &&
        consumers.every((consumer) => consumer.state === 'attached'),
      publishing,
      consuming,
      consumers: consumers.map(({ queue, state, active }) => ({ queue, state, active })),
      inFlight: this.#publisher.inFlight,
      waiting: this.#publisher.waiting,
    };
  }

  /** For tests: resolves when nothing of this service is under way: no publish, no row in the outbox, no message in its queues. */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 2;) {
      quiet = (await this.#isQuiet()) ? quiet + 1 : 0;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Cancels consumers, waits for their handlers, gives back the rest, ends relays, flushes confirms, disconnects. */
  close(drainMs = 25_000): Promise<void> {
    this.#closed ??= this.#close(drainMs);
    return this.#closed;
  }

  /** The first half of {@link close}: no more messages are taken, running handlers end, relays stop. Publishing still works. */
  async drain(drainMs = 25_000): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.close(drainMs)));
    await Promise.all(this.#relays.map((relay) => relay.stop()));
  }

  async #close(drainMs: number): Promise<void> {
    await this.drain(drainMs);
    if (this.#publisher.ready)
      await Promise.race([this.#publisher.flushed(), new Promise((resolve) => setTimeout(resolve, drainMs).unref())]);
    await this.#publisher.close();
    await Promise.all([this.#publishing.close(), this.#consuming.close()]);
  }

  async #isQuiet(): Promise<boolean> {
    if (this.#publisher.inFlight + this.#publisher.waiting > 0) return false;
    for (const relay of this.#relays) if ((await relay.lag()).rows > 0) return false;
    const open = this.#consumers.filter((consumer) => consumer.state !== 'closed');
    if (open.some((consumer) => consumer.state !== 'attached' || consumer.active + consumer.buffered > 0)) return false;
    const channel = await (await this.#consuming.whenConnected()).createChannel();
    channel.on('error', () => undefined);
    try {
      for (const consumer of open) if ((await channel.checkQueue(consumer.queue)).messageCount > 0) return false;
    } finally {
      await channel.close();
    }
    return open.every((consumer) => consumer.active + consumer.buffered === 0);
  }

  #announceParked(queue: string, parked: Parameters<ConsumerOptions['onParked']>[0]): void {
    const { delivery, code, reason, failures } = parked;
    const type = String(delivery.properties.headers?.['cloudEvents:type'] ?? delivery.properties.type ?? '');
    // A parked notice about a parked notice would never end.
    if (type === messageParked.type || this.#options.catalogue[messageParked.routingKey] === undefined) return;
    const payload = {
      service: this.#options.service,
      queue,
      messageId: String(delivery.properties.messageId ?? ''),
      type,
      code,
      reason: reason.slice(0, 1_000),
      attempts: failures.attempts,
      at: failures.lastFailedAt.toISOString(),
    };
    this.publish(messageParked, payload, { mandatory: false }).catch((error: unknown) => {
      this.#log.warn(
        { queue, error: String(error) },
        'the notice of a parked message was not published; the message itself is safe',
      );
    });
  }

  async #declare(model: ChannelModel, { queue, messages, limits }: QueuePlan): Promise<void> {
    for (const message of messages) this.#mustKnow(message);
    await declareConsumer(model, {
      exchange: this.#exchange,
      queue,
      routingKeys: messages.map((message) => message.routingKey),
      settings: { ...defaultQueueSettings, ...limits },
      delays: this.#options.delays ?? defaultDelays,
    });
  }

  #mustKnow(definition: MessageDefinition): void {
    if (this.#options.catalogue[definition.routingKey] !== definition) {
      throw new TypeError(`message ${definition.routingKey} is not in the catalogue given to Messaging.connect`);
    }
  }
}
