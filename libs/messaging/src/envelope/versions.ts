import type { MessageDefinition } from '@keelson/contracts';

/** What a subscription does with a CloudEvents type that it takes. */
export interface Accepted {
  /** As it was published. */
  readonly wire: MessageDefinition;
  /** As the handler gets it: `wire` itself, or a newer version. */
  readonly target: MessageDefinition;
  /** From one to the other, step by step. */
  readonly lifts: readonly ((payload: never) => unknown)[];
}

/**
 * CloudEvents type -> what becomes of it, for a subscription to these messages: each of them, and the older versions
 * that can be lifted to it. A version that is subscribed to itself is not lifted.
 */
export function acceptedBy(messages: readonly MessageDefinition[]): ReadonlyMap<string, Accepted> {
  const byType = new Map<string, Accepted>(
    messages.map((message) => [message.type, { wire: message, target: message, lifts: [] }]),
  );
  for (const target of messages) {
    let lifts: Accepted['lifts'] = [];
    for (let upcast = target.upcast; upcast !== undefined; upcast = upcast.from.upcast) {
      if (byType.has(upcast.from.type)) break;
      lifts = [upcast.lift, ...lifts];
      byType.set(upcast.from.type, { wire: upcast.from, target, lifts });
    }
  }
  return byType;
}

/** The keys that the queue of such a subscription has to be bound to. */
export const routingKeysOf = (messages: readonly MessageDefinition[]): string[] =>
  [...acceptedBy(messages).values()].map(({ wire }) => wire.routingKey);
