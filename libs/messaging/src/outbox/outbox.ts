import type { MessageDefinition, Payload } from '@keelson/contracts';
import type { Tx } from '@keelson/persistence';
import { randomUUID } from 'node:crypto';
import type { Priority } from '../envelope/priority.ts';
import { encodePayload, eventHeaders } from '../envelope/encode.ts';
import { activeTraceparent } from '../envelope/trace-context.ts';
import { wakeRelays } from './wake.ts';

export interface OutboxOptions {
  /** What the message is about, for example `order/<id>`: messages of one aggregate leave in the order they were written. */
  aggregate: string;
  /** CloudEvents id; given where the caller already has one that makes it unique. Default: a new UUID. */
  id?: string;
  /** Partition key for consumers; default the aggregate. */
  key?: string;
  subject?: string;
  /** W3C trace context of the message; given where one transaction writes for several requests. Default: the active one. */
  traceparent?: string;
  /** CloudEvents time. Default now. */
  time?: Date;
  /** For subscriptions with priorities. Default: none, which counts as normal. */
  priority?: Priority;
  /** False: having no receiver is fine. Default true: the row stays until a queue takes it. */
  mandatory?: boolean;
}

export interface OutboxEntry<M extends MessageDefinition = MessageDefinition> extends OutboxOptions {
  definition: M;
  payload: Payload<M>;
}

/** 1 MiB, as everywhere in this library. */
const MAX_BYTES = 1_048_576;

/**
 * Writes the message into the transaction: it is published if and only if the transaction commits, at least once.
 * Throws InvalidMessageError and MessageTooLargeError here, where the caller can still do something about it.
 */
export const outbox = <M extends MessageDefinition>(
  tx: Tx,
  definition: M,
  payload: Payload<M>,
  options: OutboxOptions,
): Promise<void> => outboxAll(tx, [{ ...options, definition, payload }]);

/** {@link outbox} for several messages in one statement, in the order given. */
export async function outboxAll(tx: Tx, entries: readonly OutboxEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await tx.execute(INSERT, outboxParameters(tx.database.name, entries));
  tx.afterCommit(() => wakeRelays(tx.database));
}

/** Arrays for {@link INSERT}; for services that put the insert into a statement of their own. */
export function outboxParameters(
  source: string,
  entries: readonly OutboxEntry[],
): [string[], string[], string[], boolean[], string[], string[]] {
  const now = Date.now();
  const active = activeTraceparent();
  const columns: [string[], string[], string[], boolean[], string[], string[]] = [[], [], [], [], [], []];
  for (const {
    definition,
    payload,
    aggregate,
    id = randomUUID(),
    key,
    subject,
    mandatory,
    time,
    priority,
    traceparent = active,
  } of entries) {
    const body = encodePayload(definition, payload, MAX_BYTES);
    const headers = eventHeaders({
      id,
      source,
      type: definition.type,
      timestamp: time?.getTime() ?? now,
      subject,
      key: key ?? aggregate,
      traceparent,
      priority,
    });
    columns[0].push(aggregate);
    columns[1].push(id);
    columns[2].push(definition.routingKey);
    columns[3].push(mandatory ?? true);
    columns[4].push(JSON.stringify(headers));
    columns[5].push(body);
  }
  return columns;
}

/** `with ordinality` keeps the order of the arrays in the ids. */
export const INSERT = `
  insert into outbox (aggregate, message_id, routing_key, mandatory, headers, body)
  select aggregate, message_id, routing_key, mandatory, headers, body
  from unnest($1::text[], $2::uuid[], $3::text[], $4::boolean[], $5::jsonb[], $6::text[])
    with ordinality as t (aggregate, message_id, routing_key, mandatory, headers, body, position)
  order by position`;
