import type { MessageDefinition } from '@keelson/contracts';
import type { Tx } from '@keelson/persistence';
import type { ReceivedOf } from '../envelope/received.ts';
import type { QueueSettings } from '../topology/queue.ts';
import type { CircuitBreakerOptions } from './circuit-breaker.ts';
import type { RetryPolicy } from './retry-policy.ts';

export interface MessageContext {
  /** The transaction that also holds the inbox row; present when the subscription has an inbox. */
  readonly tx?: Tx;
  /** Aborted when the time limit is reached or the broker took the message back: stop, nothing you do counts. */
  readonly signal: AbortSignal;
  /** 1 for the first attempt. */
  readonly attempt: number;
}

export interface SubscribeOptions<M extends MessageDefinition = MessageDefinition> {
  /** `<service>.<purpose>`; also names the consumer in the inbox. */
  queue: string;
  /** Each is bound to the queue by its routing key. */
  messages: readonly M[];
  handler: (message: ReceivedOf<M>, context: MessageContext) => Promise<void>;
  /** Handlers at the same time. Default 10. */
  concurrency?: number;
  /** Messages the broker hands over in advance. Default twice the concurrency. */
  prefetch?: number;
  /** Handle each message once, in one transaction. Default: yes where Messaging has a database. */
  inbox?: boolean;
  retry?: Partial<RetryPolicy>;
  /**
   * Time limit of one handler run. Default 30,000. All tries of one delivery together have to stay below the broker's
   * consumer timeout (MessagingOptions.consumerTimeoutMs): refused otherwise.
   */
  timeoutMs?: number;
  /**
   * Messages for which this gives the same key are handled one after the other, in the order of the queue; others at
   * the same time. Undefined: in no order. A message that fails is held, and what follows under its key waits, until
   * it succeeds or is parked.
   */
  partitionBy?: (message: ReceivedOf<M>) => string | undefined;
  /** All messages one after the other, in the order of the queue; as partitionBy with one key. */
  ordered?: boolean;
  /**
   * Of several processes only one consumes, another takes over when it goes (x-single-active-consumer). Default: yes
   * for a subscription that keeps order; false leaves order within each process only.
   */
  singleActive?: boolean;
  /**
   * What becomes of PublishOptions.priority. `broker`: its quorum queues serve what is high first; needs RabbitMQ 4.0,
   * refused at subscribe otherwise. `separate-queues`: what is high has the queue `<queue>.high` with as many handlers
   * of its own, and waits behind nothing else. Default: priorities are not looked at.
   */
  priorities?: 'broker' | 'separate-queues';
  /** Stops taking messages while most attempts fail; they stay in the queue, and one at a time is tried. Default off. */
  circuitBreaker?: boolean | Partial<CircuitBreakerOptions>;
  limits?: Partial<QueueSettings>;
}

/** Many messages of one queue in one transaction; see {@link SubscribeOptions} for what both have. */
export interface BatchOptions<M extends MessageDefinition = MessageDefinition> extends Pick<
  SubscribeOptions<M>,
  'queue' | 'messages' | 'inbox' | 'retry' | 'circuitBreaker' | 'limits'
> {
  /**
   * All that is new among what was there at the same time, in the order it came. When it throws, nothing of the batch
   * stays and it is called again with each message by itself: a batch of one has to be handled as well as one of many.
   */
  handler: (messages: readonly ReceivedOf<M>[], context: BatchContext) => Promise<void>;
  /** Messages in one batch, at most. Default 100. */
  size?: number;
  /** Batches at the same time. Default 2: one is handled while the next one arrives. */
  concurrency?: number;
  /** Time limit of one handler run. Default 10,000. */
  timeoutMs?: number;
}

/** Of a batch: the attempt is the first, or it is called with one message alone. */
export type BatchContext = Omit<MessageContext, 'attempt'>;

export interface BroadcastOptions<M extends MessageDefinition = MessageDefinition> {
  /** `<service>.<purpose>`: each instance gets a queue of its own whose name begins so. */
  name: string;
  messages: readonly M[];
  handler: (message: ReceivedOf<M>, context: Omit<MessageContext, 'tx'>) => Promise<void>;
  /** Default 1: in the order they were published. */
  concurrency?: number;
  /** In this process; afterwards the message is dropped here, logged and counted. Default 3 attempts within seconds. */
  retry?: Partial<RetryPolicy>;
  timeoutMs?: number;
}

export interface StreamOptions<M extends MessageDefinition = MessageDefinition> {
  /** `<service>.<purpose>`: the stream, shared by all instances. */
  stream: string;
  /** Names this instance's place in the stream; the same again after a restart (`pod-0`). */
  instance: string;
  messages: readonly M[];
  handler: (message: ReceivedOf<M>, context: MessageContext) => Promise<void>;
  /** Where an instance begins that was never here: with the oldest message kept, or the next one. Default `next`. */
  from?: 'first' | 'next';
  /** How long messages are kept, at least. Default 604,800, a week. */
  maxAgeSeconds?: number;
  /** In this process; afterwards the message is passed over, logged and counted. Default 3 attempts within seconds. */
  retry?: Partial<RetryPolicy>;
  timeoutMs?: number;
}

export type SubscriptionState = 'attaching' | 'attached' | 'closed';

/** Why a consumer had to attach again. */
export type ReattachReason = 'connection' | 'channel' | 'cancelled' | 'acknowledgement-timeout' | 'unknown-to-broker';

export interface Subscription {
  readonly queue: string;
  readonly state: SubscriptionState;
  /** Of the circuit breaker; `closed` also without one. */
  readonly circuit: 'closed' | 'open' | 'half-open';
  /** Handlers that run now. */
  readonly active: number;
  /** Stops taking messages, waits for running handlers up to `drainMs` (25,000), gives back the rest. */
  close(drainMs?: number): Promise<void>;
}
