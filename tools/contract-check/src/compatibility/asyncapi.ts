import { breaking, type Change } from './change.ts';
import { compareSchema, type Schema } from './schema.ts';

interface Channel {
  /** Null where it is not known before: that of a reply. */
  readonly address: string | null;
  readonly bindings?: { readonly amqp?: { readonly exchange?: { readonly name?: string } } };
}

/** The part of an AsyncAPI document that compatibility depends on. */
export interface AsyncApi {
  readonly channels: Readonly<Record<string, Channel>>;
  readonly operations?: Readonly<Record<string, { readonly reply?: object }>>;
  readonly components: {
    readonly messages: Readonly<Record<string, { readonly name: string; readonly payload: Schema }>>;
    readonly schemas?: Readonly<Record<string, Schema>>;
  };
}

/** What in `next` would break, or surprise, a consumer, or who asks, written for `base`. */
export function compareAsyncApi(base: AsyncApi, next: AsyncApi): readonly Change[] {
  const changes: Change[] = [];
  for (const [name, before] of Object.entries(base.components.messages)) {
    const after = next.components.messages[name];
    if (after === undefined) {
      changes.push(breaking(`message ${name}`, 'was removed'));
      continue;
    }
    if (before.name !== after.name) {
      changes.push(breaking(`message ${name}`, `its CloudEvents type was ${before.name}, is ${after.name}`));
    }
    changes.push(
      ...compareSchema(
        { schema: before.payload, components: base.components.schemas ?? {} },
        { schema: after.payload, components: next.components.schemas ?? {} },
        // What is asked is read by who answers it; everything else by who consumes it.
        base.operations?.[`send.${name}`]?.reply === undefined ? 'response' : 'request',
        `message ${name}`,
      ),
    );
  }
  for (const [name, before] of Object.entries(base.channels)) {
    const after = next.channels[name];
    if (after === undefined) continue; // a queue is its reader's own matter; else its message is missing as well, and named above
    const was = `${exchangeOf(before)} ${before.address}`;
    const is = `${exchangeOf(after)} ${after.address}`;
    if (was !== is) changes.push(breaking(`channel ${name}`, `travelled over ${was}, travels over ${is}`));
  }
  return changes;
}

const exchangeOf = (channel: Channel): string => channel.bindings?.amqp?.exchange?.name ?? '(no exchange)';
