export { NonRetryableError, RetryableError, ThrottledError } from './consume/failure.ts';
export { inboxMigrations } from './consume/inbox.ts';
export { type RetryPolicy } from './consume/retry-policy.ts';
export {
  type BatchContext,
  type BatchOptions,
  type BroadcastOptions,
  type MessageContext,
  type StreamOptions,
  type SubscribeOptions,
  type Subscription,
} from './consume/subscription.ts';
export { type Received, type ReceivedOf } from './envelope/received.ts';
export * from './errors.ts';
export { Messaging } from './messaging.ts';
export { type MetricsPort } from './observe/port.ts';
export {
  type Clock,
  type MessagingHealth,
  type MessagingOptions,
  type PublishOptions,
  type EventQueuePlan,
  type QueuePlan,
  type RequestQueuePlan,
  type StreamPlan,
  type RequestOptions,
} from './options.ts';
export { streamMigrations } from './stream/offsets.ts';
export { RequestProblem } from './request/problem.ts';
export { type RequestContext, type RespondOptions } from './request/responder.ts';
export { type CircuitBreakerOptions } from './consume/circuit-breaker.ts';
export { type Priority } from './envelope/priority.ts';
export { type Broker } from './connection/broker.ts';
export { outboxMigrations } from './outbox/migrations.ts';
export { outbox, outboxAll, type OutboxEntry, type OutboxOptions } from './outbox/outbox.ts';
export { scheduleMigrations } from './schedule/migrations.ts';
export {
  cancelAllScheduled,
  cancelScheduled,
  schedule,
  scheduleAll,
  type ScheduleEntry,
  type ScheduleOptions,
} from './schedule/schedule.ts';
export { type MessageScheduler } from './schedule/scheduler.ts';
export { wakeRelays } from './outbox/wake.ts';
export { type OutboxLag, type OutboxRelay } from './outbox/relay.ts';
export { parkingLot, type ListOptions, type ParkedGroup } from './parking/parking-lot.ts';
export { type ParkedDetails, type ParkedFilter, type ParkedMessage } from './parking/parked-message.ts';
export { type ActOptions, type ActResult, type RedriveOptions } from './parking/redrive.ts';
export { applyDifferences, type Applied } from './topology/apply.ts';
export { describeDifference, type Difference } from './topology/difference.ts';
export { type TopologyMode } from './topology/keeper.ts';
export { ManagementApi, ManagementError } from './topology/management.ts';
export { migrateQueue, type Migrated } from './topology/migrate.ts';
export { readTopology, type TopologyReport } from './topology/read.ts';
export {
  topologyOf,
  type Needs,
  type QueueNeeds,
  type RequestQueueNeeds,
  type StreamNeeds,
  type Topology,
} from './topology/topology.ts';
export { examine, type Examined, type Finding } from './diagnostics/doctor.ts';
export { routesOf, type KnownQueue, type Route } from './diagnostics/routes.ts';
export { timelineOf, type AttemptTime, type Timeline } from './diagnostics/timeline.ts';
export { queueStates, type QueueState } from './parking/queue-states.ts';
export { defaultRetryPolicy } from './consume/retry-policy.ts';
export { needsOf } from './topology/needs.ts';
export { defaultDelays } from './topology/delays.ts';
