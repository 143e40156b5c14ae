import type { MessageDefinition } from '@keelson/contracts';
import type { BatchContext, MessageContext, SubscribeOptions } from '../consume/subscription.ts';
import type { Received } from '../envelope/received.ts';
import type { Messaging } from '../messaging.ts';
import type { BatchDecoratorOptions, Handler, SubscribeDecoratorOptions } from './subscribe.ts';

/** A decorated method, ready to be called with its payload and context. */
export interface Bound {
  readonly handler: Handler;
  readonly call: (payload: unknown, context: unknown) => Promise<unknown>;
}

/** Methods of one queue: what they agree on, and who handles what. */
interface Shared<O> {
  readonly options: O;
  readonly calls: Map<MessageDefinition, Bound['call']>;
}

/** Starts what the decorated methods ask for, one subscription for each queue. */
export async function attachAll(
  messaging: Messaging,
  bound: readonly Bound[],
  isOurs: (queue: string) => boolean,
): Promise<void> {
  const singles = byQueue(bound, 'subscribe') as Map<string, Shared<SubscribeDecoratorOptions>>;
  const batches = byQueue(bound, 'batch') as Map<string, Shared<BatchDecoratorOptions>>;
  for (const queue of batches.keys()) {
    if (!singles.has(queue)) continue;
    throw new Error(
      `queue ${queue} has @Subscribe and @SubscribeBatch methods: give one of the two a queue of its own`,
    );
  }
  for (const [queue, { options, calls }] of singles) {
    if (!isOurs(queue)) continue;
    const { connection: _connection, ...rest } = options;
    await messaging.subscribe({
      ...(rest as Omit<SubscribeOptions, 'messages' | 'handler'>),
      messages: [...calls.keys()],
      handler: async (message: Received, context: MessageContext) =>
        void (await calls.get(message.definition)?.(message.payload, contextOf(message, context))),
    });
  }
  for (const [queue, { options, calls }] of batches) {
    if (!isOurs(queue)) continue;
    const { connection: _connection, ...rest } = options;
    await messaging.subscribeBatch({
      ...rest,
      messages: [...calls.keys()],
      handler: async (all, context) => {
        const kinds = Map.groupBy(all, ({ definition }) => definition);
        for (const [definition, messages] of kinds) {
          const payloads = messages.map(({ payload }) => payload);
          await calls.get(definition)?.(payloads, batchContextOf(messages, context));
        }
      },
    });
  }
  for (const { handler, call } of bound) await attachOne(messaging, handler, call, isOurs);
}

/** Throws where methods of one queue contradict each other. */
function byQueue(bound: readonly Bound[], kind: 'subscribe' | 'batch'): Map<string, Shared<object>> {
  const queues = new Map<string, Shared<object>>();
  for (const { handler, call } of bound) {
    if (handler.kind !== kind) continue;
    const { definition, options } = handler;
    const known = queues.get(options.queue);
    if (known === undefined) queues.set(options.queue, { options, calls: new Map([[definition, call]]) });
    else {
      refuseContradiction(known, definition, options);
      known.calls.set(definition, call);
    }
  }
  return queues;
}

async function attachOne(
  messaging: Messaging,
  handler: Handler,
  call: Bound['call'],
  isOurs: (queue: string) => boolean,
): Promise<void> {
  if (handler.kind === 'broadcast' && isOurs(handler.options.name)) {
    const { connection: _connection, ...options } = handler.options;
    await messaging.subscribeBroadcast({
      ...options,
      messages: [handler.definition],
      handler: async (message, context) => void (await call(message.payload, contextOf(message, context))),
    });
  }
  if (handler.kind === 'respond' && isOurs(handler.options.queue)) {
    const { connection: _connection, ...options } = handler.options;
    await messaging.respond({ ...options, request: handler.definition, handler: call });
  }
}

const contextOf = (message: Received, context: Omit<MessageContext, 'tx'> & Pick<MessageContext, 'tx'>): unknown => ({
  message,
  tx: context.tx,
  attempt: context.attempt,
  // Made only for who looks at it.
  get signal() {
    return context.signal;
  },
});

const batchContextOf = (messages: readonly Received[], context: BatchContext): unknown => ({
  messages,
  tx: context.tx,
  get signal() {
    return context.signal;
  },
});

function refuseContradiction(
  known: Shared<object>,
  definition: MessageDefinition,
  options: SubscribeDecoratorOptions | BatchDecoratorOptions,
): void {
  const { queue } = options;
  if (known.calls.has(definition)) {
    throw new Error(
      `two methods handle ${definition.routingKey} on queue ${queue}: give one of them a queue of its own`,
    );
  }
  if (fingerprint(known.options) === fingerprint(options)) return;
  throw new Error(
    `the methods of queue ${queue} disagree: ${fingerprint(known.options)} and ${fingerprint(options)}. All methods of one queue need the same options`,
  );
}

const fingerprint = (options: object): string =>
  JSON.stringify(
    Object.entries(options).sort(([one], [other]) => (one < other ? -1 : 1)),
    (_key, value: unknown) => (typeof value === 'function' ? String(value) : value),
  );
