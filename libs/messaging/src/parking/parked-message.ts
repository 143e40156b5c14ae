import type { GetMessage } from 'amqplib';
import { CE, countIn, KEELSON, type Headers } from '../envelope/headers.ts';
import { wasDelayedFor } from '../topology/delayed-events.ts';

/** A message that was given up, and why. */
export interface ParkedMessage {
  readonly id: string;
  readonly type: string;
  /** Partition key. */
  readonly key?: string;
  readonly code: string;
  readonly reason: string;
  readonly attempts: number;
  readonly firstFailedAt?: string;
  readonly lastFailedAt?: string;
  readonly exchange?: string;
  readonly routingKey?: string;
  readonly redriveCount: number;
  readonly traceId?: string;
  /** Of the body. */
  readonly bytes: number;
}

export interface ParkedDetails extends ParkedMessage {
  readonly stack?: string;
  readonly headers: Readonly<Record<string, unknown>>;
  /** As text, cut to 64 KiB. */
  readonly body: string;
}

/** What to act on; without any field, everything. All that are given must match. */
export interface ParkedFilter {
  ids?: readonly string[] | undefined;
  code?: string | undefined;
  /** CloudEvents type, or the routing key. */
  type?: string | undefined;
  /** Found in the body or in the reason. */
  text?: string | undefined;
  /** Partition key. */
  key?: string | undefined;
  /** Last failed not before. */
  since?: Date | undefined;
  /** Last failed not after. */
  until?: Date | undefined;
}

export const headersOf = (message: GetMessage): Headers => message.properties.headers ?? {};

export const idOf = (message: GetMessage): string =>
  text(headersOf(message)[CE.id]) ?? text(message.properties.messageId) ?? '';

export function summary(message: GetMessage): ParkedMessage {
  const headers = headersOf(message);
  // Without our headers the broker itself gave the message up, at its delivery limit.
  const death = (
    headers['x-death'] as { reason?: string; exchange?: string; 'routing-keys'?: string[] }[] | undefined
  )?.[0];
  return {
    id: idOf(message),
    type: text(headers[CE.type]) ?? text(message.properties.type) ?? '',
    key: text(headers[CE.partitionkey]),
    ...(unclaimed(message) ?? {
      code: text(headers[KEELSON.code]) ?? death?.reason ?? 'unknown',
      reason: text(headers[KEELSON.reason]) ?? (death === undefined ? '' : `given up by the broker: ${death.reason}`),
    }),
    attempts: countIn(headers[KEELSON.attempts]),
    firstFailedAt: text(headers[KEELSON.firstFailedAt]),
    lastFailedAt: text(headers[KEELSON.lastFailedAt]),
    exchange: text(headers[KEELSON.exchange]) ?? death?.exchange,
    routingKey: text(headers[KEELSON.routingKey]) ?? death?.['routing-keys']?.[0],
    redriveCount: countIn(headers[KEELSON.redriveCount]),
    traceId: text(headers['traceparent'])?.split('-')[1],
    bytes: message.content.length,
  };
}

/** Of a message that found no queue when its delay was over: the broker kept it, and could write no reason. */
function unclaimed(message: GetMessage): Pick<ParkedMessage, 'code' | 'reason'> | undefined {
  const target = wasDelayedFor(message.fields);
  if (target === undefined) return undefined;
  if (target.queue === undefined)
    return { code: 'nobody-bound', reason: 'no queue was bound to it when its delay was over' };
  const failure = text(headersOf(message)[KEELSON.reason]);
  return {
    code: 'queue-missing',
    reason: `queue ${target.queue} was not there when it was to be tried again${failure === undefined ? '' : `; it had failed: ${failure}`}`,
  };
}

/**
 * Where a message goes when it is sent again: to its own queue alone, since others have had theirs; an event that found no
 * queue at all, to all that are bound to it now.
 */
export function destinationOf(message: GetMessage, queue: string): { exchange: string; routingKey: string } {
  const target = wasDelayedFor(message.fields);
  if (target === undefined) return { exchange: '', routingKey: queue };
  if (target.queue !== undefined) return { exchange: '', routingKey: target.queue };
  const { exchange = '', routingKey = '' } = summary(message);
  return { exchange, routingKey };
}

export function details(message: GetMessage): ParkedDetails {
  const headers = headersOf(message);
  return {
    ...summary(message),
    stack: text(headers[KEELSON.stack]),
    headers,
    body: message.content.subarray(0, 65_536).toString('utf8'),
  };
}

export function matches(message: GetMessage, filter: ParkedFilter): boolean {
  const found = summary(message);
  const { ids, code, type, key, since, until } = filter;
  if (ids !== undefined && !ids.includes(found.id)) return false;
  if (code !== undefined && code !== found.code) return false;
  if (type !== undefined && type !== found.type && type !== found.routingKey) return false;
  if (key !== undefined && key !== found.key) return false;
  if (filter.text !== undefined && !found.reason.includes(filter.text) && !message.content.includes(filter.text))
    return false;
  if (since === undefined && until === undefined) return true;
  const at = Date.parse(found.lastFailedAt ?? '');
  // What the broker gave up has no time; asked for a time it is not meant.
  if (Number.isNaN(at)) return false;
  return (since === undefined || at >= since.getTime()) && (until === undefined || at <= until.getTime());
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
