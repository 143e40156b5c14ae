export { NonRetryableError, RetryableError, ThrottledError } from './consume/failure.ts';
export { inboxMigrations } from './consume/inbox.ts';
export { type RetryPolicy } from './consume/retry-policy.ts';
export { type MessageContext, type SubscribeOptions, type Subscription } from './consume/subscription.ts';
export { type Received, type ReceivedOf } from './envelope/received.ts';
export * from './errors.ts';
export { Messaging } from './messaging.ts';
export { type MetricsPort } from './observe/port.ts';
export { type MessagingHealth, type MessagingOptions, type PublishOptions, type QueuePlan } from './options.ts';
export { outboxMigrations } from './outbox/migrations.ts';
export { outbox, outboxAll, type OutboxEntry, type OutboxOptions } from './outbox/outbox.ts';
export { wakeRelays } from './outbox/wake.ts';
export { type OutboxLag, type OutboxRelay } from './outbox/relay.ts';
export {
  parkingLot,
  type ActOptions,
  type ActResult,
  type ParkedDetails,
  type ParkedFilter,
  type ParkedMessage,
} from './parking/parking-lot.ts';
