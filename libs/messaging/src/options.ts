import type { MessageDefinition } from '@keelson/contracts';
import type { Database, Log } from '@keelson/persistence';
import type { ConnectionState } from './connection/connection.ts';
import type { SubscribeOptions } from './consume/subscription.ts';
import type { MetricsPort } from './observe/port.ts';
import type { DelaySettings } from './topology/delays.ts';

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
  /**
   * Queues that must be there before anything is published, also those that other processes consume: a message for a
   * role that was never started then waits for it, instead of reaching only the roles that were.
   */
  topology?: readonly QueuePlan[];
  /** Days an inbox row is kept. Default 14; above any time a message may lie in a queue. */
  inboxRetentionDays?: number;
  /** Default: the OpenTelemetry API. service-kit's `{ counter, gauge, histogram }` fits. */
  metrics?: MetricsPort;
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
