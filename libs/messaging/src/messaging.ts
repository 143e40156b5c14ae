import {
  EXCHANGE,
  messageParked,
  type MessageDefinition,
  type Payload,
  type Reply,
  type RequestDefinition,
  UNCLAIMED,
} from '@keelson/contracts';
import { stderrLog, type Log } from '@keelson/persistence';
import type { ChannelModel } from 'amqplib';
import { AmqpConnection, within } from './connection/connection.ts';
import { announceParked } from './consume/announce-parked.ts';
import type { Consumer } from './consume/consumer.ts';
import { Subscribing } from './consume/subscribing.ts';
import type {
  BatchOptions,
  BroadcastOptions,
  StreamOptions,
  SubscribeOptions,
  Subscription,
} from './consume/subscription.ts';
import { DEFAULT_CONSUMER_TIMEOUT_MS } from './consume/time-limits.ts';
import { together } from './consume/together.ts';
import { encode } from './envelope/encode.ts';
import { ClosedError, TopologyMismatchError } from './errors.ts';
import { messageOf } from './message-of.ts';
import { Housekeeping } from './observe/housekeeping.ts';
import { Instruments } from './observe/instruments.ts';
import { observed } from './observe/observed.ts';
import { openTelemetryMetrics } from './observe/open-telemetry.ts';
import type { MessagingHealth, MessagingOptions, PublishOptions, RequestOptions } from './options.ts';
import { OutboxRelay, type RelayOptions } from './outbox/relay.ts';
import { delayedEvent } from './publish/delayed-event.ts';
import { Publishers } from './publish/publishers.ts';
import { Requester } from './request/requester.ts';
import type { RespondOptions } from './request/responder.ts';
import { MessageScheduler, type SchedulerOptions } from './schedule/scheduler.ts';
import { settled } from './settled.ts';
import { defaultDelays, longestDelayMs, type DelaySettings } from './topology/delays.ts';
import { TopologyKeeper } from './topology/keeper.ts';
import { ManagementApi } from './topology/management.ts';
import { parkedQueue } from './topology/names.ts';
import { needsOf } from './topology/needs.ts';
import { isOfEvents } from './topology/topology.ts';

export const PARKING = Symbol('keelson:parking'); // not for programs: the way in for parkingLot's functions

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
  readonly #topology: TopologyKeeper;
  readonly #management: ManagementApi | undefined;
  readonly #publishers: Publishers;
  readonly #requester: Requester;
  readonly #subscribing: Subscribing;
  readonly #consumers: Consumer[] = [];
  /** Queues with a parking lot; those of broadcasts and requests have none. */
  readonly #subscribed = new Set<string>();
  readonly #answered = new Set<string>();
  readonly #relays: OutboxRelay[] = [];
  readonly #instruments: Instruments;
  readonly #housekeeping: Housekeeping;
  readonly #delays: DelaySettings;
  readonly #schedulers: MessageScheduler[] = [];
  #delaysEvents = false;
  #usesInbox = false;
  #closed: Promise<void> | undefined;

  private constructor(options: MessagingOptions) {
    this.#options = options;
    this.#log = options.log ?? stderrLog;
    this.#exchange = options.exchange ?? EXCHANGE;
    this.#delays = options.delays ?? defaultDelays;
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
    this.#management =
      options.managementUrl === undefined ? undefined : new ManagementApi(options.managementUrl, options.url);
    this.#topology = new TopologyKeeper({
      exchange: this.#exchange,
      delays: this.#delays,
      mode: options.topologyMode ?? 'declare',
      management: this.#management,
      log: this.#log,
    });
    this.#publishers = new Publishers({
      connection: this.#publishing,
      prepare: async (channel, model) => {
        await this.#topology.exchange(channel, model);
        if (this.#delaysEvents) await this.#topology.delays(model);
        await this.#topology.queues(model, (options.topology ?? []).map(needsOf));
      },
      window: options.window ?? 1_000,
      windowBytes: 32 * 1_048_576,
      waiting: options.waiting?.messages ?? 10_000,
      waitingBytes: options.waiting?.bytes ?? 64 * 1_048_576,
      onLoss: options.onLoss ?? 'reject',
      log: this.#log,
    });
    this.#requester = new Requester({
      connection: this.#consuming,
      publisher: this.#publishers.direct,
      exchange: this.#exchange,
      service: options.service,
      log: this.#log,
    });
    this.#subscribing = new Subscribing({
      connection: this.#consuming,
      publisher: this.#publishers.copies,
      database: options.database,
      service: options.service,
      exchange: this.#exchange,
      topology: this.#topology,
      delays: this.#delays,
      maxBytes: this.#maxBytes,
      consumerTimeoutMs: options.consumerTimeoutMs ?? DEFAULT_CONSUMER_TIMEOUT_MS,
      instruments: this.#instruments,
      onParked: (parked) => {
        const { service, catalogue } = options;
        const publish = (payload: Payload<typeof messageParked>) =>
          this.publish(messageParked, payload, { mandatory: false });
        void announceParked(parked, { service, catalogue, publish, log: this.#log });
      },
      log: this.#log,
    });
    this.#housekeeping = new Housekeeping({
      instruments: this.#instruments,
      publishing: this.#publishing,
      consuming: this.#consuming,
      publishers: this.#publishers,
      relays: this.#relays,
      schedulers: this.#schedulers,
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
    const {
      deadlineMs = this.#options.publishDeadlineMs ?? 15_000,
      mandatory = true,
      delayMs,
      ...attributes
    } = options;
    if (delayMs !== undefined) await this.#mayDelay(definition, options);
    await observed(this.#instruments, this.#exchange, definition.routingKey, 'publish', async (traceparent) => {
      const source = this.#options.service;
      const envelope = encode(definition, payload, { ...attributes, source, maxBytes: this.#maxBytes, traceparent });
      if (delayMs === undefined) {
        await this.#publishers.direct.publish(this.#exchange, envelope, { mandatory, deadlineMs });
      } else {
        const delayed = delayedEvent(envelope, { exchange: this.#exchange, delayMs, delays: this.#delays });
        await this.#publishers.direct.publish(delayed.exchange, delayed.envelope, { mandatory, deadlineMs });
      }
    });
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
    for (const message of options.messages) this.#mustKnow(message);
    this.#usesInbox ||= options.inbox ?? this.#options.database !== undefined;
    this.#subscribed.add(options.queue);
    return this.#start(options.queue, this.#subscribing.events(options));
  }

  /**
   * As {@link subscribe}, and hands over together what is there at the same time: one transaction, one commit and one
   * inbox statement for all of it. A batch that fails is handled message by message.
   */
  async subscribeBatch<const M extends MessageDefinition>(options: BatchOptions<M>): Promise<Subscription> {
    for (const message of options.messages) this.#mustKnow(message);
    this.#usesInbox ||= options.inbox ?? this.#options.database !== undefined;
    this.#subscribed.add(options.queue);
    return this.#start(options.queue, [this.#subscribing.batches(options)]);
  }

  /** Hands each message to every instance, by a queue that goes with its connection: what comes meanwhile is missed. */
  async subscribeBroadcast<const M extends MessageDefinition>(options: BroadcastOptions<M>): Promise<Subscription> {
    for (const message of options.messages) this.#mustKnow(message);
    return this.#start(options.name, [this.#subscribing.broadcast(options)]);
  }

  /** The same by a stream, in which messages stay: an instance goes on where it was. Needs streamMigrations. */
  async subscribeStream<const M extends MessageDefinition>(options: StreamOptions<M>): Promise<Subscription> {
    for (const message of options.messages) this.#mustKnow(message);
    return this.#start(options.stream, [this.#subscribing.stream(options)]);
  }

  /** Answers requests: see Responder. Any number of processes may share the queue. */
  async respond<R extends RequestDefinition>(options: RespondOptions<R>): Promise<Subscription> {
    this.#mustKnow(options.request);
    this.#answered.add(options.queue);
    return this.#start(options.queue, [this.#subscribing.responder(options)]);
  }

  /**
   * Sends a request and resolves with its reply. Rejects with ProblemError (of contracts) when the server answered with
   * a problem, NoReplyError at the deadline at the latest, InvalidReplyError, or as {@link publish} does: with
   * UnroutableError when no server was ever there, PublishRejectedError when too many requests wait.
   */
  async request<R extends RequestDefinition>(
    definition: R,
    payload: Payload<R>,
    options: RequestOptions,
  ): Promise<Reply<R>> {
    this.#mustKnow(definition);
    const { deadlineMs, ...attributes } = options;
    if (!(deadlineMs >= 1 && deadlineMs <= 600_000)) {
      throw new RangeError(`request ${definition.routingKey}: deadlineMs is ${deadlineMs}; allowed are 1 to 600000`);
    }
    return observed(this.#instruments, this.#exchange, definition.routingKey, 'request', (traceparent) => {
      const source = this.#options.service;
      const envelope = encode(definition, payload, { ...attributes, source, maxBytes: this.#maxBytes, traceparent });
      return this.#requester.request(definition, envelope, deadlineMs);
    });
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
      publisher: this.#publishers.outbox,
      exchange: this.#exchange,
      instruments: this.#instruments,
      log: this.#log,
    });
    this.#relays.push(relay);
    return relay;
  }

  /**
   * Hands what schedule() wrote into this service's database to its outbox when it is due, until close. Every process
   * of a service may run one; a relay has to run in one of them, too.
   */
  async startScheduler(options: Pick<SchedulerOptions, 'batch' | 'pollMs'> = {}): Promise<MessageScheduler> {
    const { database, clock } = this.#options;
    if (database === undefined) throw new TypeError('startScheduler needs the database: pass it to Messaging.connect');
    const scheduler = new MessageScheduler({ ...options, database, ...(clock && { clock }), log: this.#log });
    this.#schedulers.push(scheduler);
    return scheduler;
  }

  /** Resolves when both connections are up. */
  async ready(): Promise<void> {
    await Promise.all([this.#publishing.whenConnected(), this.#consuming.whenConnected()]);
  }

  /** The queues with a parking lot: of {@link MessagingOptions.topology} and of every subscription, by name. */
  get queues(): readonly string[] {
    const planned = (this.#options.topology ?? [])
      .map(needsOf)
      .filter(isOfEvents)
      .map(({ queue }) => queue);
    return [...new Set([...planned, ...this.#subscribed])].toSorted();
  }

  /** The queues of requests: of {@link MessagingOptions.topology} and of every responder, by name. */
  get requestQueues(): readonly string[] {
    const planned = (this.#options.topology ?? []).filter(({ kind }) => kind === 'requests').map(({ queue }) => queue);
    return [...new Set([...planned, ...this.#answered])].toSorted();
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
      broker: this.#consuming.broker ?? this.#publishing.broker,
      publishing,
      consuming,
      consumers: consumers.map(({ queue, state, active, circuit }) => ({ queue, state, active, circuit })),
      inFlight: this.#publishers.inFlight,
      waiting: this.#publishers.waiting,
    };
  }

  /** For tests: resolves when nothing of this service is under way: no publish, no outbox row, nothing in its queues. */
  settled(): Promise<void> {
    return settled({
      publishers: this.#publishers,
      relays: this.#relays,
      schedulers: this.#schedulers,
      consumers: this.#consumers,
      consuming: this.#consuming,
      delays: this.#delays,
    });
  }

  /** The first half of {@link close}: no more messages are taken, running handlers end, relays stop. Publishing still works. */
  async drain(drainMs = 25_000): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.close(drainMs)));
    await Promise.all([...this.#schedulers, ...this.#relays].map((each) => each.stop()));
  }

  /** Cancels consumers, waits for their handlers, gives back the rest, ends relays, flushes confirms, disconnects. */
  close(drainMs = 25_000): Promise<void> {
    this.#closed ??= this.#close(drainMs);
    return this.#closed;
  }

  /** What the parking lot's functions work with. */
  [PARKING](): {
    publisher: Publishers['copies'];
    connected: () => Promise<ChannelModel>;
    catalogue: MessagingOptions['catalogue'];
    management: ManagementApi | undefined;
    service: string;
    log: Log;
  } {
    const { catalogue, service } = this.#options;
    return {
      publisher: this.#publishers.copies,
      connected: () => this.#consuming.whenConnected(),
      catalogue,
      management: this.#management,
      service,
      log: this.#log,
    };
  }

  async #close(drainMs: number): Promise<void> {
    await within(1_000, this.#housekeeping.stop());
    await this.drain(drainMs);
    if (this.#publishers.ready) await within(drainMs, this.#publishers.flushed());
    await this.#requester.close();
    await this.#publishers.close();
    await Promise.all([this.#publishing.close(), this.#consuming.close()]);
  }

  async #start(queue: string, consumers: Consumer[]): Promise<Subscription> {
    if (this.#closed !== undefined) throw new ClosedError('this Messaging was closed');
    this.#consumers.push(...consumers);
    await Promise.all(consumers.map((consumer) => consumer.start()));
    return together(queue, consumers);
  }

  /** The levels are there before the first delayed message: publishing to a missing exchange costs the channel. */
  async #mayDelay({ routingKey }: MessageDefinition, { delayMs = 0, mandatory }: PublishOptions): Promise<void> {
    const most = longestDelayMs(this.#delays);
    if (!(delayMs >= 1 && delayMs <= most)) {
      throw new RangeError(
        `publish ${routingKey}: delayMs is ${delayMs}; allowed are 1 to ${most}. For longer, schedule() keeps it in the database.`,
      );
    }
    if (mandatory === false) {
      throw new TypeError(
        `publish ${routingKey}: mandatory: false does not go with delayMs: what nobody takes when it is due is kept, in ${parkedQueue(UNCLAIMED)}`,
      );
    }
    if (this.#delaysEvents) return;
    const { model } = this.#publishing;
    try {
      if (model !== undefined) await this.#topology.delays(model);
    } catch (error) {
      if (error instanceof TopologyMismatchError) throw error;
      this.#log.warn({ error: messageOf(error) }, 'the delay queues could not be declared; the next connection does');
    }
    // Not before: a second message must not overtake the declaration.
    this.#delaysEvents = true;
  }

  #mustKnow(definition: MessageDefinition): void {
    if (this.#options.catalogue[definition.routingKey] !== definition) {
      throw new TypeError(`message ${definition.routingKey} is not in the catalogue given to Messaging.connect`);
    }
  }
}
