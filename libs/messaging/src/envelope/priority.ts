import type { Headers } from './headers.ts';

export type Priority = 'low' | 'normal' | 'high';

/** Says it beside AMQP's own property, which an exchange cannot route by. */
export const PRIORITY_HEADER = 'keelson-priority';

/** RabbitMQ 4's quorum queues know two: up to 4 is normal, from 5 is high. Low counts where a broker has more. */
const numbers: Readonly<Record<Priority, number>> = { low: 1, normal: 4, high: 9 };

/** AMQP's number for what the headers say; undefined where they say nothing. */
export const priorityIn = (headers: Headers): number | undefined => {
  const value = headers[PRIORITY_HEADER];
  return typeof value === 'string' && Object.hasOwn(numbers, value) ? numbers[value as Priority] : undefined;
};
