import type { ConsumeMessage } from 'amqplib';
import type { Envelope } from '../envelope/encode.ts';
import { CE, KEELSON, type Headers } from '../envelope/headers.ts';
import type { Publisher } from '../publish/publisher.ts';
import { delayRoute, type DelaySettings } from '../topology/delays.ts';
import { parkedQueue } from '../topology/names.ts';

const DEADLINE_MS = 10_000;

export interface Failures {
  readonly attempts: number;
  readonly firstFailedAt: Date;
  readonly lastFailedAt: Date;
}

/** Sends a copy of the delivery to its queue again, later. Resolves when the broker has it. */
export function sendLater(
  publisher: Publisher,
  delivery: ConsumeMessage,
  options: { queue: string; delayMs: number; delays: DelaySettings; failures: Failures; reason: string },
): Promise<void> {
  const { exchange, routingKey } = delayRoute(options.queue, options.delayMs, options.delays);
  const envelope = copyOf(delivery, routingKey, {
    ...history(delivery, options.queue, options.failures),
    [KEELSON.reason]: cut(options.reason, 1_000),
  });
  return publisher.publish(exchange, envelope, { mandatory: true, deadlineMs: DEADLINE_MS });
}

/** Puts a copy of the delivery into the parking lot of its queue, with the reason. Resolves when the broker has it. */
export function park(
  publisher: Publisher,
  delivery: ConsumeMessage,
  options: { queue: string; code: string; reason: string; stack?: string; failures: Failures },
): Promise<void> {
  const headers: Headers = {
    ...history(delivery, options.queue, options.failures),
    [KEELSON.code]: options.code,
    [KEELSON.reason]: cut(options.reason, 2_000),
  };
  if (options.stack !== undefined) headers[KEELSON.stack] = cut(options.stack, 4_000);
  return publisher.publish('', copyOf(delivery, parkedQueue(options.queue), headers), {
    mandatory: true,
    deadlineMs: DEADLINE_MS,
  });
}

function history(delivery: ConsumeMessage, queue: string, failures: Failures): Headers {
  const before = (delivery.properties.headers ?? {}) as Headers;
  return {
    [KEELSON.queue]: queue,
    [KEELSON.exchange]: before[KEELSON.exchange] ?? delivery.fields.exchange,
    [KEELSON.routingKey]: before[KEELSON.routingKey] ?? delivery.fields.routingKey,
    [KEELSON.attempts]: failures.attempts,
    [KEELSON.firstFailedAt]: failures.firstFailedAt.toISOString(),
    [KEELSON.lastFailedAt]: failures.lastFailedAt.toISOString(),
  };
}

// The broker's own notes: a copy starts with a clean slate, or its counts would be ours to explain.
const brokers = /^x-(death|first-death-.*|last-death-.*|delivery-count|acquired-count)$/;

export function copyOf(
  delivery: Pick<ConsumeMessage, 'properties' | 'content'>,
  routingKey: string,
  added: Headers,
): Envelope {
  const kept = Object.entries((delivery.properties.headers ?? {}) as Headers).filter(([name]) => !brokers.test(name));
  const headers: Headers = { ...Object.fromEntries(kept), ...added };
  const id: unknown = headers[CE.id] ?? delivery.properties.messageId;
  const { type, contentType, contentEncoding, correlationId, replyTo, appId } = delivery.properties;
  const seconds: unknown = delivery.properties.timestamp;
  return {
    id: typeof id === 'string' ? id : '',
    routingKey,
    body: delivery.content,
    headers,
    timestamp: typeof seconds === 'number' ? seconds * 1_000 : Date.now(),
    kept: { type, contentType, contentEncoding, correlationId, replyTo, appId },
  };
}

const cut = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);
