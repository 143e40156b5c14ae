import type { ConsumeMessage } from 'amqplib';
import { ZodError } from 'zod';
import { CE, KEELSON } from '../envelope/headers.ts';
import type { Received } from '../envelope/received.ts';
import type { Accepted } from '../envelope/versions.ts';
import { messageOf } from '../message-of.ts';

export type Decoded =
  | { readonly ok: true; readonly message: Received }
  | {
      readonly ok: false;
      readonly code:
        'not-cloudevents' | 'malformed' | 'unknown-message' | 'invalid-payload' | 'too-large' | 'no-partition-key';
      readonly reason: string;
    };

/** What the wire says, checked in full. A fault is final: the same bytes will not get better. */
export function decode(
  delivery: ConsumeMessage,
  queue: string,
  byType: ReadonlyMap<string, Accepted>,
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
  const accepted = byType.get(type);
  if (accepted === undefined) {
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
  const { wire, target: definition, lifts } = accepted;
  const result = wire.schema.safeParse(body);
  if (!result.success) return { ok: false, code: 'invalid-payload', reason: issuesOf(result.error) };
  let payload: unknown = result.data;
  if (lifts.length > 0) {
    try {
      payload = definition.schema.parse(lifts.reduce((older, lift) => lift(older as never), payload));
    } catch (error) {
      const why = error instanceof ZodError ? issuesOf(error) : messageOf(error);
      return { ok: false, code: 'invalid-payload', reason: `lifted from ${wire.type} to ${definition.type}: ${why}` };
    }
  }
  const text = (name: string): string | undefined => (typeof headers[name] === 'string' ? headers[name] : undefined);
  return {
    ok: true,
    message: {
      definition,
      name: definition.name,
      version: definition.version,
      payload,
      id,
      source: text(CE.source) ?? '',
      type,
      time: new Date(text(CE.time) ?? Number.NaN),
      subject: text(CE.subject),
      key: text(CE.partitionkey),
      routingKey: text(KEELSON.routingKey) ?? delivery.fields.routingKey,
      queue,
      redelivered: delivery.fields.redelivered,
      traceparent: text('traceparent'),
      headers,
    },
  };
}

const issuesOf = ({ issues }: ZodError): string =>
  issues.map((issue) => `${issue.path.join('.') || '(whole)'}: ${issue.message}`).join('; ');
