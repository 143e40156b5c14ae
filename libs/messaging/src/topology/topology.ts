import { delayedEventBinding, delayedEventsTopology, delayedReturnBindings } from './delayed-events.ts';
import { delayBinding, delayNext, type DelaySettings } from './delays.ts';
import { delayName, parkedQueue, returnExchange } from './names.ts';
import { highQueue, priorityParts, prioritySorter } from './priority.ts';
import {
  consumerQueueArguments,
  defaultQueueSettings,
  delayQueueArguments,
  parkedQueueArguments,
  type QueueSettings,
  requestQueueArguments,
  streamArguments,
} from './queue.ts';

export interface ExchangePart {
  readonly name: string;
  readonly type: 'topic' | 'fanout' | 'headers';
  /** Exchange that gets what this one can bring to no queue. */
  readonly alternate?: string;
}

export interface QueuePart {
  readonly name: string;
  readonly role: 'consumer' | 'requests' | 'stream' | 'parking-lot' | 'delay';
  readonly arguments: Readonly<Record<string, unknown>>;
}

export interface BindingPart {
  readonly source: string;
  readonly destination: string;
  readonly to: 'queue' | 'exchange';
  readonly routingKey: string;
  /** Of a headers exchange: what it compares. */
  readonly arguments?: Readonly<Record<string, string>>;
}

/** Everything that must be on the broker, all of it durable; in the order in which it can be declared. */
export interface Topology {
  readonly exchanges: readonly ExchangePart[];
  readonly queues: readonly QueuePart[];
  readonly bindings: readonly BindingPart[];
}

/** A consumer's queue as far as the broker is concerned. */
export interface QueueNeeds {
  readonly kind?: 'events' | undefined;
  readonly queue: string;
  readonly routingKeys: readonly string[];
  readonly settings?: Partial<QueueSettings> | undefined;
  /** What is urgent has a queue of its own beside it. */
  readonly withHigh?: boolean;
}

/** A queue in which requests wait for who answers them. */
export interface RequestQueueNeeds {
  readonly kind: 'requests';
  readonly queue: string;
  readonly routingKeys: readonly string[];
  readonly maxLength?: number | undefined;
}

/** A stream that every instance reads at its own place. */
export interface StreamNeeds {
  readonly kind: 'stream';
  readonly queue: string;
  readonly routingKeys: readonly string[];
  readonly maxAgeSeconds?: number | undefined;
}

export type Needs = QueueNeeds | RequestQueueNeeds | StreamNeeds;

/** Whether it is a consumer's queue: those of requests and streams have no parking lot and no retries. */
export const isOfEvents = (needs: Needs): needs is QueueNeeds => needs.kind === undefined || needs.kind === 'events';

/** What these consumers need: their queues, parking lots and the delay levels for events, and what leads to them. Pure. */
export function topologyOf(
  all: readonly Needs[],
  { exchange, delays }: { exchange: string; delays: DelaySettings },
): Topology {
  const needs = all.filter(isOfEvents);
  const others = all.filter((one) => !isOfEvents(one));
  const waiting = needs.length === 0 ? none : delayTopology(delays);
  const sorted = needs.map(({ queue, withHigh }) => (withHigh === true ? priorityParts(queue) : undefined));
  return {
    exchanges: [
      { name: exchange, type: 'topic' },
      ...waiting.exchanges,
      ...sorted.flatMap((parts) => parts?.exchanges ?? []),
    ],
    queues: [
      ...waiting.queues,
      // The parking lot first: nothing may be given up before there is a place for it.
      ...needs.flatMap(({ queue, settings, withHigh }) =>
        (withHigh === true ? [queue, highQueue(queue)] : [queue]).flatMap((name): QueuePart[] => [
          { name: parkedQueue(name), role: 'parking-lot', arguments: parkedQueueArguments() },
          {
            name,
            role: 'consumer',
            arguments: consumerQueueArguments(name, { ...defaultQueueSettings, ...settings }),
          },
        ]),
      ),
      ...others.map(({ queue, ...need }): QueuePart => {
        if (need.kind === 'requests')
          return { name: queue, role: 'requests', arguments: requestQueueArguments(need.maxLength) };
        return { name: queue, role: 'stream', arguments: streamArguments(need.maxAgeSeconds) };
      }),
    ],
    bindings: [
      ...waiting.bindings,
      ...needs.flatMap((need): BindingPart[] => {
        const { queue, withHigh } = need;
        const back = (name: string): BindingPart[] => delayedReturnBindings(name, delays);
        const events = eventBindings(need, { exchange, delays });
        if (withHigh !== true) return [...events, ...back(queue)];
        const toSorter = events.map((part) => ({
          ...part,
          destination: prioritySorter(queue),
          to: 'exchange' as const,
        }));
        return [...toSorter, ...back(queue), ...back(highQueue(queue)), ...priorityParts(queue).bindings];
      }),
      ...others.flatMap(({ queue, routingKeys }) => routingKeys.map((key) => toQueue(exchange, queue, key))),
    ],
  };
}

/** What brings a queue its messages, published at once or with a delay. */
export const eventBindings = (
  { queue, routingKeys }: QueueNeeds,
  { exchange, delays }: { exchange: string; delays: DelaySettings },
): BindingPart[] => [
  ...routingKeys.map((routingKey) => toQueue(exchange, queue, routingKey)),
  ...routingKeys.map((routingKey) => delayedEventBinding(queue, { exchange, routingKey }, delays)),
];

/** The levels of {@link DelaySettings}, shared by all consumers of a virtual host. */
export function delayTopology(delays: DelaySettings): Topology {
  const levels = Array.from({ length: delays.levels }, (_, level) => ({
    name: delayName(delays.unitMs, level),
    next: delayNext(level, delays),
    level,
  }));
  const events = delayedEventsTopology(delays);
  return {
    exchanges: [
      { name: returnExchange(delays.unitMs), type: 'topic' },
      ...levels.map(({ name }): ExchangePart => ({ name, type: 'topic' })),
      ...events.exchanges,
    ],
    queues: [
      ...levels.map(({ name, next, level }): QueuePart => ({
        name,
        role: 'delay',
        arguments: delayQueueArguments(delays.unitMs * 2 ** level, next),
      })),
      ...events.queues,
    ],
    bindings: [
      ...levels.flatMap(({ name, next, level }): BindingPart[] => [
        toQueue(name, name, delayBinding(level, '1', delays)),
        { source: name, destination: next, to: 'exchange', routingKey: delayBinding(level, '0', delays) },
      ]),
      ...events.bindings,
    ],
  };
}

const none: Topology = { exchanges: [], queues: [], bindings: [] };

const toQueue = (source: string, destination: string, routingKey: string): BindingPart => ({
  source,
  destination,
  to: 'queue',
  routingKey,
});
