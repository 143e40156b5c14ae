import { messageParked, type MessageDefinition, type Payload } from '@keelson/contracts';
import type { Log } from '@keelson/persistence';
import type { ConsumeMessage } from 'amqplib';
import { CE } from '../envelope/headers.ts';
import { messageOf } from '../message-of.ts';
import type { Failures } from './delayed.ts';

export interface Parked {
  readonly queue: string;
  readonly delivery: ConsumeMessage;
  readonly code: string;
  readonly reason: string;
  readonly failures: Failures;
}

/**
 * Tells the platform that a message was parked, as `message.parked.v1`. Best effort: the message itself is safe in the
 * parking lot by now, and nobody may be listening.
 */
export async function announceParked(
  parked: Parked,
  options: {
    service: string;
    catalogue: Readonly<Record<string, MessageDefinition>>;
    publish: (payload: Payload<typeof messageParked>) => Promise<void>;
    log: Log;
  },
): Promise<void> {
  const { properties } = parked.delivery;
  const type = String(properties.headers?.[CE.type] ?? properties.type ?? '');
  // A parked notice about a parked notice would never end.
  if (type === messageParked.type || options.catalogue[messageParked.routingKey] !== messageParked) return;
  try {
    await options.publish({
      service: options.service,
      queue: parked.queue,
      messageId: String(properties.messageId ?? ''),
      type,
      code: parked.code,
      reason: parked.reason.slice(0, 1_000),
      attempts: parked.failures.attempts,
      at: parked.failures.lastFailedAt.toISOString(),
    });
  } catch (error) {
    options.log.warn(
      { queue: parked.queue, error: messageOf(error) },
      'the notice of a parked message was not published',
    );
  }
}
