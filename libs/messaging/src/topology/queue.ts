import { parkedQueue } from './names.ts';

export interface QueueSettings {
  /** Messages a queue holds at most; publishers are refused beyond. */
  maxLength: number;
  /**
   * Deliveries before the broker itself gives a message up, far above our own retry budget. Explicit, because
   * RabbitMQ 4 sets 20 by default and drops what has no dead-letter exchange.
   */
  deliveryLimit: number;
  /** Of several consumers the broker serves one, and the next when that one goes. */
  singleActive: boolean;
}

export const defaultQueueSettings: QueueSettings = { maxLength: 1_000_000, deliveryLimit: 50, singleActive: false };

/** Arguments of a consumer's queue: what the broker gives up goes to its parking lot, at least once. */
export const consumerQueueArguments = (queue: string, settings: QueueSettings): Record<string, unknown> => ({
  'x-queue-type': 'quorum',
  'x-delivery-limit': settings.deliveryLimit,
  'x-dead-letter-exchange': '',
  'x-dead-letter-routing-key': parkedQueue(queue),
  // At-least-once needs reject-publish: RabbitMQ manual, "Quorum queues", dead lettering.
  'x-dead-letter-strategy': 'at-least-once',
  'x-overflow': 'reject-publish',
  'x-max-length': settings.maxLength,
  // Left out and not false: queues that are there already were declared without it.
  ...(settings.singleActive && { 'x-single-active-consumer': true }),
});

/**
 * No limit but the disk: what is here was given up once already and must not be lost. The delivery limit is a number
 * nobody reaches, since RabbitMQ 4 would otherwise drop a message that was looked at 20 times.
 */
export const parkedQueueArguments = (): Record<string, unknown> => ({
  'x-queue-type': 'quorum',
  'x-delivery-limit': 1_000_000_000,
});

/** Requests that wait in a queue, at most, unless it says otherwise. */
const REQUESTS = 10_000;

/**
 * Classic, since a request is worth nothing once its caller has gone, and bounded, so that a caller hears of an overload
 * at once.
 */
export const requestQueueArguments = (maxLength = REQUESTS): Record<string, unknown> => ({
  'x-queue-type': 'classic',
  'x-max-length': maxLength,
  'x-overflow': 'reject-publish',
});

const WEEK_SECONDS = 604_800;

/** Messages stay, however many read them, until they are older than `maxAgeSeconds`. */
export const streamArguments = (maxAgeSeconds = WEEK_SECONDS): Record<string, unknown> => ({
  'x-queue-type': 'stream',
  'x-max-age': `${maxAgeSeconds}s`,
  // Whole segments are dropped: with RabbitMQ's 500 MB for each, little would ever be old enough.
  'x-stream-max-segment-size-bytes': 50_000_000,
});

/** A queue in which messages wait `ttlMs` and then go on to the next exchange with their routing key. */
export const delayQueueArguments = (ttlMs: number, next: string): Record<string, unknown> => ({
  'x-queue-type': 'quorum',
  'x-message-ttl': ttlMs,
  'x-dead-letter-exchange': next,
  'x-dead-letter-strategy': 'at-least-once',
  'x-overflow': 'reject-publish',
});
