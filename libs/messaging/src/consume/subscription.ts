import type { MessageDefinition } from '@keelson/contracts';
import type { Tx } from '@keelson/persistence';
import type { ReceivedOf } from '../envelope/received.ts';
import type { QueueSettings } from '../topology/queue.ts';
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
  /** Time limit of one handler run. Default 30,000. */
  timeoutMs?: number;
  limits?: Partial<QueueSettings>;
}

export type SubscriptionState = 'attaching' | 'attached' | 'closed';

export interface Subscription {
  readonly queue: string;
  readonly state: SubscriptionState;
  /** Handlers that run now. */
  readonly active: number;
  /** Stops taking messages, waits for running handlers up to `drainMs` (25,000), gives back the rest. */
  close(drainMs?: number): Promise<void>;
}
