import type { MessageDefinition, RequestDefinition } from '@keelson/contracts';
import type { Database, Log } from '@keelson/persistence';
import type { ChannelModel } from 'amqplib';
import type { AmqpConnection } from '../connection/connection.ts';
import { routingKeysOf } from '../envelope/versions.ts';
import type { Instruments } from '../observe/instruments.ts';
import type { Publisher } from '../publish/publisher.ts';
import { Responder, type RespondOptions, type ResponderOptions } from '../request/responder.ts';
import { advance, nextOffset } from '../stream/offsets.ts';
import { declareBroadcast } from '../topology/broadcast.ts';
import type { DelaySettings } from '../topology/delays.ts';
import type { TopologyKeeper } from '../topology/keeper.ts';
import { needsOf } from '../topology/needs.ts';
import { highQueue, mustHavePriorities } from '../topology/priority.ts';
import type { Parked } from './announce-parked.ts';
import { Consumer, type ConsumerOptions, type Opening } from './consumer.ts';
import { firstTime, firstTimes } from './inbox.ts';
import { BatchHandling, type BatchHandlingOptions } from './batch-handling.ts';
import { Handling, type HandlingOptions } from './handling.ts';
import { defaultRetryPolicy, type RetryPolicy } from './retry-policy.ts';
import { circuitBreakerOf, refuseContradictions } from './subscribe-options.ts';
import type { BatchOptions, BroadcastOptions, StreamOptions, SubscribeOptions } from './subscription.ts';
import { refuseBeyondConsumerTimeout } from './time-limits.ts';

export interface SubscribingOptions {
  connection: AmqpConnection;
  publisher: Publisher;
  database: Database | undefined;
  service: string;
  exchange: string;
  topology: TopologyKeeper;
  delays: DelaySettings;
  maxBytes: number;
  consumerTimeoutMs: number;
  instruments: Instruments;
  onParked: (parked: Parked) => void;
  log: Log;
}

const CHECK_MS = 15_000;

/** Instance-local work that fails is tried a few times within seconds: there is nowhere to park it for later. */
const broadcastRetry: RetryPolicy = { ...defaultRetryPolicy, attempts: 3, firstDelayMs: 500, maxDelayMs: 2_000 };

/** Makes consumers out of what a program asks for; refuses what contradicts itself or the broker. */
export class Subscribing {
  readonly #options: SubscribingOptions;

  constructor(options: SubscribingOptions) {
    this.#options = options;
  }

  /** One consumer, or two where what is urgent has a queue of its own. */
  events<M extends MessageDefinition>(options: SubscribeOptions<M>): Consumer[] {
    const { queue, priorities } = options;
    const keepsOrder = options.ordered === true || options.partitionBy !== undefined;
    refuseContradictions(options, keepsOrder);
    const declare = async (model: ChannelModel): Promise<void> => {
      if (priorities === 'broker') mustHavePriorities(model, queue);
      await this.#options.topology.queues(model, [needsOf(options)]);
    };
    const queues = priorities === 'separate-queues' ? [highQueue(queue), queue] : [queue];
    return queues.map((name) => this.#eventConsumer(name, options, keepsOrder, declare));
  }

  batches<M extends MessageDefinition>(options: BatchOptions<M>): Consumer {
    const { queue, messages, size = 100, concurrency = 2, timeoutMs = 10_000 } = options;
    const { database, consumerTimeoutMs, instruments, log, topology } = this.#options;
    refuseContradictions({ ...options, concurrency }, false);
    if (!(Number.isSafeInteger(size) && size >= 1 && size <= 1_000))
      throw new TypeError(`subscription ${queue}: size is ${size}; allowed are 1 to 1000`);
    const retry = { ...defaultRetryPolicy, ...options.retry };
    refuseBeyondConsumerTimeout({ queue, timeoutMs, retry, keepsOrder: false, consumerTimeoutMs, batch: size });
    const inbox = this.#hasInbox(options);
    const handler = options.handler as unknown as BatchHandlingOptions['handler'];
    const alone = this.#handling({
      queue,
      firstTime: (tx, message) => firstTime(tx, queue, message.id),
      messages,
      handler: (message, context) => handler([message], context),
      partitionBy: undefined,
      holds: false,
      drops: false,
      inbox,
      retry,
      timeoutMs,
    });
    // While batches run another one gathers, and a further one is on its way.
    const inFlight = Math.min(size * (concurrency + 1), 60_000);
    return this.#consumer({
      queue,
      declare: async (model) => {
        await topology.queues(model, [needsOf(options)]);
        return queue;
      },
      processor: new BatchHandling({
        alone,
        database: inbox ? database : undefined,
        queue,
        firstTimes: (tx, ids) => firstTimes(tx, queue, ids),
        handler,
        size,
        concurrency,
        timeoutMs,
        instruments,
        log,
      }),
      concurrency: inFlight,
      prefetch: Math.min(inFlight + size, 65_535),
      opensEarly: false,
      holds: false,
      circuitBreaker: circuitBreakerOf(options),
    });
  }

  broadcast<M extends MessageDefinition>(options: BroadcastOptions<M>): Consumer {
    const { name, messages, concurrency = 1, timeoutMs = 30_000 } = options;
    const retry = { ...broadcastRetry, ...options.retry };
    refuseContradictions({ queue: name, messages, concurrency }, true);
    const { consumerTimeoutMs, exchange } = this.#options;
    refuseBeyondConsumerTimeout({ queue: name, timeoutMs, retry, keepsOrder: true, consumerTimeoutMs });
    const routingKeys = routingKeysOf(messages);
    return this.#consumer({
      queue: name,
      declare: (model) => declareBroadcast(model, { exchange, name, routingKeys }),
      processor: this.#handling({
        queue: name,
        firstTime: async () => true,
        messages,
        handler: options.handler as HandlingOptions['handler'],
        partitionBy: undefined,
        holds: true,
        drops: true,
        inbox: false,
        retry,
        timeoutMs,
      }),
      concurrency,
      prefetch: concurrency * 20,
      opensEarly: false,
      holds: true,
      circuitBreaker: undefined,
    });
  }

  stream<M extends MessageDefinition>(options: StreamOptions<M>): Consumer {
    const { stream, instance, messages, timeoutMs = 30_000, maxAgeSeconds, from = 'next' } = options;
    const { database, consumerTimeoutMs, topology } = this.#options;
    if (database === undefined)
      throw new TypeError(`subscription to stream ${stream} needs the database: pass it to Messaging.connect`);
    const retry = { ...broadcastRetry, ...options.retry };
    refuseContradictions({ queue: stream, messages }, true);
    refuseBeyondConsumerTimeout({ queue: stream, timeoutMs, retry, keepsOrder: true, consumerTimeoutMs });
    const routingKeys = routingKeysOf(messages);
    return this.#consumer({
      queue: stream,
      declare: async (model) => {
        await topology.queues(model, [{ kind: 'stream', queue: stream, routingKeys, maxAgeSeconds }]);
        return stream;
      },
      consumeArguments: async () => ({ 'x-stream-offset': (await nextOffset(database, stream, instance)) ?? from }),
      processor: this.#handling({
        queue: stream,
        firstTime: (tx, { headers }) => advance(tx, stream, instance, Number(headers['x-stream-offset'])),
        messages,
        handler: options.handler as HandlingOptions['handler'],
        partitionBy: undefined,
        holds: true,
        drops: true,
        inbox: true,
        retry,
        timeoutMs,
      }),
      concurrency: 1,
      prefetch: 100,
      opensEarly: false,
      holds: true,
      circuitBreaker: undefined,
      // A stream has no count of its consumers.
      checkMs: undefined,
      keepsMessages: true,
    });
  }

  responder<R extends RequestDefinition>(options: RespondOptions<R>): Consumer {
    const { queue, request, concurrency = 10, maxLength } = options;
    refuseContradictions({ queue, messages: [request], concurrency }, false);
    const { service, publisher, maxBytes, instruments, log, topology } = this.#options;
    const handler = options.handler as unknown as ResponderOptions['handler'];
    const { routingKey } = request;
    const processor = new Responder({ queue, request, handler, service, publisher, maxBytes, instruments, log });
    return this.#consumer({
      queue,
      declare: async (model) => {
        await topology.queues(model, [{ kind: 'requests', queue, routingKeys: [routingKey], maxLength }]);
        return queue;
      },
      processor,
      concurrency,
      // No more than it works on: what waits here cannot go to a process that is free.
      prefetch: concurrency,
      opensEarly: false,
      holds: false,
      circuitBreaker: undefined,
    });
  }

  #eventConsumer<M extends MessageDefinition>(
    name: string,
    options: SubscribeOptions<M>,
    keepsOrder: boolean,
    declare: (model: ChannelModel) => Promise<void>,
  ): Consumer {
    const { queue, timeoutMs = 30_000, messages } = options;
    const { consumerTimeoutMs } = this.#options;
    const concurrency = options.ordered === true ? 1 : (options.concurrency ?? 10);
    const retry = { ...defaultRetryPolicy, ...options.retry };
    refuseBeyondConsumerTimeout({ queue, timeoutMs, retry, keepsOrder, consumerTimeoutMs });
    const inbox = this.#hasInbox(options);
    return this.#consumer({
      queue: name,
      declare: async (model) => {
        await declare(model);
        return name;
      },
      processor: this.#handling({
        queue: name,
        firstTime: (tx, message) => firstTime(tx, queue, message.id),
        messages,
        handler: options.handler as HandlingOptions['handler'],
        partitionBy: options.partitionBy as HandlingOptions['partitionBy'],
        holds: keepsOrder,
        drops: false,
        inbox,
        retry,
        timeoutMs,
      }),
      concurrency,
      prefetch: options.prefetch ?? concurrency * 2,
      opensEarly: options.partitionBy !== undefined,
      holds: keepsOrder,
      circuitBreaker: circuitBreakerOf(options),
    });
  }

  #hasInbox({ queue, inbox }: Pick<SubscribeOptions<never>, 'queue' | 'inbox'>): boolean {
    const { database } = this.#options;
    if (inbox === true && database === undefined)
      throw new TypeError(`subscription ${queue} has inbox: true, but Messaging.connect got no database`);
    return inbox ?? database !== undefined;
  }

  #handling(
    own: Omit<HandlingOptions, 'publisher' | 'database' | 'delays' | 'maxBytes' | 'crashesPerAttempt' | Observing>,
  ): Handling {
    const { publisher, database, delays, maxBytes, instruments, onParked, log } = this.#options;
    const shared = { publisher, database, delays, maxBytes, instruments, onParked, log };
    return new Handling({ ...shared, crashesPerAttempt: 3, ...own });
  }

  #consumer<O extends Opening>(
    own: Omit<ConsumerOptions<O>, 'connection' | 'checkMs' | 'instruments' | 'log'> & { checkMs?: undefined },
  ): Consumer {
    const { connection, instruments, log } = this.#options;
    // Whoever only starts, looks at and closes a consumer need not know what its processor opens.
    return new Consumer<O>({ connection, instruments, log, checkMs: CHECK_MS, ...own });
  }
}

type Observing = 'instruments' | 'onParked' | 'log';
