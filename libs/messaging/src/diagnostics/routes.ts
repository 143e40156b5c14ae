import type { MessageDefinition } from '@keelson/contracts';
import { routingKeysOf } from '../envelope/versions.ts';

export interface KnownQueue {
  readonly service: string;
  readonly queue: string;
  readonly messages: readonly MessageDefinition[];
}

/** Where one message goes. */
export interface Route {
  readonly routingKey: string;
  readonly producer: string;
  /** Empty where nobody subscribes: such a message is published with `mandatory: false`, or is an error. */
  readonly queues: readonly string[];
}

/** Every message of the catalogue with the queues it reaches. Pure; needs no broker. */
export function routesOf(
  catalogue: Readonly<Record<string, MessageDefinition>>,
  queues: readonly KnownQueue[],
): Route[] {
  return Object.values(catalogue)
    .map(({ routingKey, producer }) => ({
      routingKey,
      producer,
      queues: queues.filter(({ messages }) => routingKeysOf(messages).includes(routingKey)).map(({ queue }) => queue),
    }))
    .toSorted((one, other) => (one.routingKey < other.routingKey ? -1 : 1));
}
