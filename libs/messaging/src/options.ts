import type { MessageDefinition } from '@keelson/contracts';
import type { Database, Log } from '@keelson/persistence';
import type { Broker } from './connection/broker.ts';
import type { ConnectionState } from './connection/connection.ts';
import type { SubscribeOptions } from './consume/subscription.ts';
import type { Priority } from './envelope/priority.ts';
import type { MetricsPort } from './observe/port.ts';
import type { DelaySettings } from './topology/delays.ts';
import type { TopologyMode } from './topology/keeper.ts';

/** Time as an argument, so that a test can move it. */
export interface Clock {
  now(): Date;
}

export interface MessagingOptions {
  /** `amqp://user:password@host:port/vhost` */
  url: string;
  /** CloudEvents source, connection name, first part of queue names. */
  service: string;
  /** Routing key -> definition: all this program may publish or receive. */
  catalogue: Readonly<Record<string, MessageDefinition>>;
  /** Needed for inbox and outbox. */
  database?: Database;
  /** Default `keelson.events`. */
  exchange?: string;
  /** Unconfirmed messages at the same time. Default 1,000. */
  window?: number;
  /** Default 1,048,576. */
  maxMessageBytes?: number;
  /** How long a publish may take in all, unless it says otherwise. Default 15,000. */
  publishDeadlineMs?: number;
  /** Messages in flight when the connection is lost: `reject` (default) tells the caller, `retry` sends them again. */
  onLoss?: 'reject' | 'retry';
  /** Messages that wait for the broker in this process, at most; one more is refused. Default 10,000 and 64 MiB. */
  waiting?: { messages: number; bytes: number };
  /** A peer silent for two of them is taken for dead. Default 10. */
  heartbeatSeconds?: number;
  delays?: DelaySettings;
  /** consumer_timeout of the broker, which it tells nobody. Default 1,800,000, as RabbitMQ's own. */
  consumerTimeoutMs?: number;
  /**
   * Queues that must be there before anything is published, also those that other processes consume: a message for a
   * role that was never started then waits for it, instead of reaching only the roles that were.
   */
  topology?: readonly QueuePlan[];
  /** `declare` (default) makes what is missing; `verify` makes nothing and starts only where everything fits. */
  topologyMode?: TopologyMode;
  /**
   * RabbitMQ's management API, `http://host:15672`, with the user of {@link url} unless it has one of its own. With it
   * limits are policies, bindings are checked too, and all that differs is told at once.
   */
  managementUrl?: string | undefined;
  /** Days an inbox row is kept. Default 14; above any time a message may lie in a queue. */
  inboxRetentionDays?: number;
  /** Default: the OpenTelemetry API. service-kit's `{ counter, gauge, histogram }` fits. */
  metrics?: MetricsPort;
  /** What the scheduler takes for now. Default: the clock of the database. */
  clock?: Clock;
  log?: Log;
}

/** A queue with what is bound to it; the same as its subscription says. */
export type QueuePlan = EventQueuePlan | RequestQueuePlan | StreamPlan;

/** Of {@link SubscribeOptions}. */
export type EventQueuePlan = Pick<
  SubscribeOptions,
  'queue' | 'messages' | 'limits' | 'ordered' | 'singleActive' | 'priorities'
> & {
  kind?: 'events' | undefined;
  partitionBy?: (message: never) => string | undefined;
};

/** Of RespondOptions. */
export interface RequestQueuePlan {
  kind: 'requests';
  queue: string;
  messages: readonly MessageDefinition[];
  maxLength?: number | undefined;
}

/** Of StreamOptions; `queue` is the stream. */
export interface StreamPlan {
  kind: 'stream';
  queue: string;
  messages: readonly MessageDefinition[];
  maxAgeSeconds?: number | undefined;
}

export interface PublishOptions {
  /** Partition key: messages with the same key belong in order. */
  key?: string;
  /** CloudEvents id; give the same again when you publish again after PublishUncertainError. */
  id?: string;
  subject?: string;
  /** For subscriptions with priorities. Default: none, which counts as normal. */
  priority?: Priority;
  deadlineMs?: number;
  /** False: having no receiver is fine. Default true. */
  mandatory?: boolean;
  /**
   * Kept by the broker for so long, up to 1.8 hours with the default levels; schedule() keeps messages longer, and
   * those that may have to be taken back. Resolves when the broker has it. That nobody takes it shows when it is due:
   * it then lies in the parking lot of `keelson.delayed`.
   */
  delayMs?: number;
}

export interface RequestOptions extends Pick<PublishOptions, 'key' | 'id' | 'subject' | 'priority'> {
  /** How long the caller waits, in all. No default: a request without a deadline is a leak. */
  deadlineMs: number;
}

export interface MessagingHealth {
  readonly healthy: boolean;
  /** What the broker said it is, when it was last connected. */
  readonly broker: Broker | undefined;
  readonly publishing: ConnectionState;
  readonly consuming: ConnectionState;
  readonly consumers: readonly {
    readonly queue: string;
    readonly state: string;
    readonly active: number;
    /** Of its circuit breaker; an open one makes nothing unhealthy: the process works, what it depends on does not. */
    readonly circuit: 'closed' | 'open' | 'half-open';
  }[];
  readonly inFlight: number;
  readonly waiting: number;
}
