import type { ChannelModel } from 'amqplib';
import { brokerOf, isAtLeast } from '../connection/broker.ts';
import { PRIORITY_HEADER, type Priority } from '../envelope/priority.ts';
import { UnsupportedByBrokerError } from '../errors.ts';
import type { BindingPart, ExchangePart } from './topology.ts';

/** The queue beside `queue` that holds what is urgent. */
export const highQueue = (queue: string): string => `${queue}.high`;

/** The exchange that all messages for both of them go through. */
export const prioritySorter = (queue: string): string => `${queue}.by-priority`;
const notHigh = (queue: string): string => `${queue}.not-high`;

/** Throws UnsupportedByBrokerError where quorum queues have no priorities. */
export function mustHavePriorities(model: ChannelModel, queue: string): void {
  const broker = brokerOf(model);
  if (isAtLeast(broker, 4, 0)) return;
  throw new UnsupportedByBrokerError(
    `subscription ${queue}: priorities: 'broker' needs quorum queues of RabbitMQ 4.0 or newer; this is ${broker.product} ` +
      `${broker.version}. Use priorities: 'separate-queues', which works with any.`,
  );
}

/**
 * What brings urgent messages to {@link highQueue} and the rest to the queue itself. A headers exchange tells them
 * apart, and its alternate exchange takes what says nothing, since a binding cannot ask for a header that is missing.
 */
export function priorityParts(queue: string): { exchanges: ExchangePart[]; bindings: BindingPart[] } {
  const high: Priority = 'high';
  const [sorter, rest] = [prioritySorter(queue), notHigh(queue)];
  return {
    exchanges: [
      { name: rest, type: 'fanout' },
      { name: sorter, type: 'headers', alternate: rest },
    ],
    bindings: [
      { source: rest, destination: queue, to: 'queue', routingKey: '' },
      {
        source: sorter,
        destination: highQueue(queue),
        to: 'queue',
        routingKey: '',
        arguments: { 'x-match': 'all', [PRIORITY_HEADER]: high },
      },
    ],
  };
}
