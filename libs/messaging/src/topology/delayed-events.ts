import { UNCLAIMED } from '@keelson/contracts';
import { anyDelay, delayReturn, type DelaySettings } from './delays.ts';
import { parkedQueue, returnExchange } from './names.ts';
import { parkedQueueArguments } from './queue.ts';
import type { BindingPart, Topology } from './topology.ts';

export const eventsExchange = (unitMs: number): string => `keelson.delay.${unitMs}ms.events`;
const unclaimedExchange = (unitMs: number): string => `keelson.delay.${unitMs}ms.unclaimed`;

/** The word that tells a delayed event from a message that goes back to one queue; no queue is named so. */
const MARK = '@';

/** Stands where a queue's name stands otherwise in the key of {@link delayRoute}. */
export const eventTarget = (exchange: string, routingKey: string): string => `${MARK}.${exchange}.${routingKey}`;

/**
 * Delayed events come back here, and reach the queues that are bound to the event. The alternate exchange keeps those
 * that reach none: a quorum queue that dead-letters at least once holds on to what it cannot route, and would soon
 * hold up everybody who waits in the same level.
 */
export function delayedEventsTopology({ unitMs, levels }: DelaySettings): Topology {
  const unclaimed = unclaimedExchange(unitMs);
  const events = eventsExchange(unitMs);
  const queue = parkedQueue(UNCLAIMED);
  return {
    exchanges: [
      { name: unclaimed, type: 'fanout' },
      { name: events, type: 'topic', alternate: unclaimed },
    ],
    queues: [{ name: queue, role: 'parking-lot', arguments: parkedQueueArguments() }],
    bindings: [
      { source: unclaimed, destination: queue, to: 'queue', routingKey: '' },
      {
        source: returnExchange(unitMs),
        destination: events,
        to: 'exchange',
        routingKey: `${anyDelay(levels)}.${MARK}.#`,
      },
    ],
  };
}

/**
 * Brings what waited for this queue back to it, by way of the exchange of delayed events: the binding to that outlives the
 * queue, so that its alternate exchange keeps what comes back when the queue was deleted. Beside the return exchange's own
 * binding to the queue, which earlier versions made, it brings nothing twice: an exchange gives a queue a message once.
 */
export function delayedReturnBindings(queue: string, delays: DelaySettings): BindingPart[] {
  const [back, events] = [returnExchange(delays.unitMs), eventsExchange(delays.unitMs)];
  const routingKey = delayReturn(queue, delays);
  return [
    { source: back, destination: events, to: 'exchange', routingKey },
    { source: events, destination: queue, to: 'queue', routingKey },
  ];
}

/**
 * Where a message that lies in the parking lot of {@link UNCLAIMED} was to go, by the key it came back with: to `queue`,
 * where it waited for another attempt, or to whoever was bound to the event. Undefined for a message of any other lot.
 */
export function wasDelayedFor({
  exchange,
  routingKey,
}: {
  exchange: string;
  routingKey: string;
}): { queue: string | undefined } | undefined {
  if (!/^keelson\.delay\.\d+ms\./.test(exchange)) return undefined;
  const target = routingKey.replace(/^(?:[01]\.)+/, '');
  return { queue: target.startsWith(`${MARK}.`) ? undefined : target };
}

/** Lets the queue have this event when it was published with a delay, too. */
export const delayedEventBinding = (
  queue: string,
  event: { exchange: string; routingKey: string },
  { unitMs, levels }: DelaySettings,
): BindingPart => ({
  source: eventsExchange(unitMs),
  destination: queue,
  to: 'queue',
  routingKey: `${anyDelay(levels)}.${eventTarget(event.exchange, event.routingKey)}`,
});
