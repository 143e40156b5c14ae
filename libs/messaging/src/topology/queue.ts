import { parkedQueue } from './names.ts';

export interface QueueSettings {
  /** Messages a queue holds at most; publishers are refused beyond. */
  maxLength: number;
  /**
   * Deliveries before the broker itself gives a message up, far above our own retry budget. Explicit, because
   * RabbitMQ 4 sets 20 by default and drops what has no dead-letter exchange.
   */
  deliveryLimit: number;
}

export const defaultQueueSettings: QueueSettings = { maxLength: 1_000_000, deliveryLimit: 50 };

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
});

/**
 * No limit but the disk: what is here was given up once already and must not be lost. The delivery limit is a number
 * nobody reaches, since RabbitMQ 4 would otherwise drop a message that was looked at 20 times.
 */
export const parkedQueueArguments = (): Record<string, unknown> => ({
  'x-queue-type': 'quorum',
  'x-delivery-limit': 1_000_000_000,
});

/** A queue in which messages wait `ttlMs` and then go on to the next exchange with their routing key. */
export const delayQueueArguments = (ttlMs: number, next: string): Record<string, unknown> => ({
  'x-queue-type': 'quorum',
  'x-message-ttl': ttlMs,
  'x-dead-letter-exchange': next,
  'x-dead-letter-strategy': 'at-least-once',
  'x-overflow': 'reject-publish',
});
