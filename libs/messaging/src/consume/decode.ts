import type { MessageDefinition } from '@keelson/contracts';
import type { ConsumeMessage } from 'amqplib';
import { CE, KEELSON } from '../envelope/headers.ts';
import type { Received } from '../envelope/received.ts';

export type Decoded =
  | { readonly ok: true; readonly message: Received }
  | {
      readonly ok: false;
      readonly code: 'not-cloudevents' | 'malformed' | 'unknown-message' | 'invalid-payload' | 'too-large';
      readonly reason: string;
    };

/** What the wire says, checked in full. A fault is final: the same bytes will not get better. */
export function decode(
  delivery: ConsumeMessage,
  queue: string,
  byType: ReadonlyMap<string, MessageDefinition>,
  maxBytes: number,
): Decoded {
  const headers = (delivery.properties.headers ?? {}) as Record<string, unknown>;
  const type: unknown = headers[CE.type] ?? delivery.properties.type;
  const id: unknown = headers[CE.id] ?? delivery.properties.messageId;
  if (typeof type !== 'string' || typeof id !== 'string' || id === '') {
    return {
      ok: false,
      code: 'not-cloudevents',
      reason: `header ${typeof id === 'string' && id !== '' ? CE.type : CE.id} is missing: this is not a CloudEvents 1.0 message in binary mode`,
    };
  }
  const definition = byType.get(type);
  if (definition === undefined) {
    const known = [...byType.keys()].join(', ');
    return {
      ok: false,
      code: 'unknown-message',
      reason: `type ${type} is not handled by ${queue}; it handles ${known}`,
    };
  }
  if (delivery.content.length > maxBytes) {
    return {
      ok: false,
      code: 'too-large',
      reason: `body has ${delivery.content.length} bytes; allowed are ${maxBytes}`,
    };
  }
  let body: unknown;
  try {
    body = JSON.parse(delivery.content.toString('utf8'));
  } catch (error) {
    return { ok: false, code: 'malformed', reason: `body is not JSON: ${(error as Error).message}` };
  }
  const result = definition.schema.safeParse(body);
  if (!result.success) {
    const issues = result.error.issues.map((issue) => `${issue.path.join('.') || '(whole)'}: ${issue.message}`);
    return { ok: false, code: 'invalid-payload', reason: issues.join('; ') };
  }
  const text = (name: string): string | undefined => (typeof headers[name] === 'string' ? headers[name] : undefined);
  return {
    ok: true,
    message: {
      definition,
      name: definition.name,
      payload: result.data,
      id,
      source: text(CE.source) ?? '',
      type,
      time: new Date(text(CE.time) ?? Number.NaN),
      subject: text(CE.subject),
      key: text(CE.partitionkey),
      routingKey: text(KEELSON.routingKey) ?? delivery.fields.routingKey,
      queue,
      redelivered: delivery.fields.redelivered,
      headers,
    },
  };
}
