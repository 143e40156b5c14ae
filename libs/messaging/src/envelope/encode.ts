import type { MessageDefinition, Payload } from '@keelson/contracts';
import type { Options } from 'amqplib';
import { randomUUID } from 'node:crypto';
import { InvalidMessageError, MessageTooLargeError } from '../errors.ts';
import { CE, type Headers } from './headers.ts';
import { PRIORITY_HEADER, priorityIn, type Priority } from './priority.ts';

/** A message ready for the wire. */
export interface Envelope {
  readonly id: string;
  readonly routingKey: string;
  readonly body: Buffer;
  readonly headers: Headers;
  readonly timestamp: number;
  /** Worthless after so long, and with a broker that restarts: not written to disk, dropped by the broker. */
  readonly expiresMs?: number;
  /** Of a copy: AMQP properties that the original came with. */
  readonly kept?: KeptProperties;
}

/** Left out are those that would act on the copy: `expiration` would end it, `userId` has to be our own. */
export type KeptProperties = Pick<
  Options.Publish,
  'type' | 'contentType' | 'contentEncoding' | 'correlationId' | 'replyTo' | 'appId'
>;

export interface EncodeOptions {
  source: string;
  maxBytes: number;
  id?: string;
  key?: string;
  subject?: string;
  traceparent?: string;
  priority?: Priority;
}

/** Validates the payload and returns its JSON text. Throws InvalidMessageError or MessageTooLargeError. */
export function encodePayload(definition: MessageDefinition, payload: unknown, maxBytes: number): string {
  const result = definition.schema.safeParse(payload);
  if (!result.success) {
    const issues = result.error.issues.map((issue) => `${issue.path.join('.') || '(whole)'}: ${issue.message}`);
    throw new InvalidMessageError(definition.routingKey, issues);
  }
  const text = JSON.stringify(result.data);
  // A character is at most 3 bytes in UTF-8: only a text near the limit has to be measured.
  if (text.length * 3 > maxBytes) {
    const bytes = Buffer.byteLength(text);
    if (bytes > maxBytes) throw new MessageTooLargeError(definition.routingKey, bytes, maxBytes);
  }
  return text;
}

/** CloudEvents 1.0 in binary mode: attributes as headers, the payload alone as body. */
export function encode<M extends MessageDefinition>(
  definition: M,
  payload: Payload<M>,
  options: EncodeOptions,
): Envelope {
  const text = encodePayload(definition, payload, options.maxBytes);
  const id = options.id ?? randomUUID();
  const timestamp = Date.now();
  return {
    id,
    routingKey: definition.routingKey,
    body: Buffer.from(text),
    headers: eventHeaders({ ...options, id, type: definition.type, timestamp, traceparent: options.traceparent }),
    timestamp,
  };
}

export function eventHeaders(event: {
  id: string;
  source: string;
  type: string;
  timestamp: number;
  subject?: string;
  key?: string;
  traceparent: string | undefined;
  priority?: Priority | undefined;
}): Headers {
  const headers: Headers = {
    [CE.specversion]: '1.0',
    [CE.id]: event.id,
    [CE.source]: event.source,
    [CE.type]: event.type,
    [CE.time]: isoTime(event.timestamp),
  };
  if (event.subject !== undefined) headers[CE.subject] = event.subject;
  if (event.key !== undefined) headers[CE.partitionkey] = event.key;
  if (event.priority !== undefined) headers[PRIORITY_HEADER] = event.priority;
  if (event.traceparent !== undefined) headers['traceparent'] = event.traceparent;
  return headers;
}

let lastMs = Number.NaN;
let lastIso = '';

/** Many messages are made within a millisecond, and formatting a date costs more than all other headers together. */
function isoTime(ms: number): string {
  if (ms !== lastMs) {
    lastMs = ms;
    lastIso = new Date(ms).toISOString();
  }
  return lastIso;
}

/** AMQP properties of an envelope: persistent, with the ids where every tool looks for them. */
export function properties(envelope: Envelope, mandatory: boolean): Options.Publish {
  const type = envelope.headers[CE.type];
  const priority = priorityIn(envelope.headers);
  return {
    contentType: 'application/json',
    ...(typeof type === 'string' && { type }),
    ...envelope.kept,
    messageId: envelope.id,
    deliveryMode: envelope.expiresMs === undefined ? 2 : 1,
    mandatory,
    timestamp: Math.floor(envelope.timestamp / 1_000),
    headers: envelope.headers,
    ...(envelope.expiresMs !== undefined && { expiration: String(envelope.expiresMs) }),
    ...(priority !== undefined && { priority }),
  };
}
