import { defaultQueueSettings, type QueueSettings } from '../topology/queue.ts';
import { circuitBreakerOptions, type CircuitBreakerOptions } from './circuit-breaker.ts';
import type { SubscribeOptions } from './subscription.ts';

type Given = Pick<SubscribeOptions<never>, 'queue' | 'limits' | 'ordered' | 'partitionBy' | 'singleActive'>;

/** Properties of the queue that follow from what its subscription says. */
export function settingsOf({ limits, ordered, partitionBy, singleActive }: Given): QueueSettings {
  const keepsOrder = ordered === true || partitionBy !== undefined;
  return { ...defaultQueueSettings, singleActive: singleActive ?? keepsOrder, ...limits };
}

/** Throws a TypeError that names both sides. */
export function refuseContradictions(
  options: Omit<SubscribeOptions<never>, 'messages' | 'handler'> & { messages: readonly unknown[] },
  keepsOrder: boolean,
): void {
  const { queue, concurrency, ordered, partitionBy, circuitBreaker } = options;
  const refuse = (why: string): never => {
    throw new TypeError(`subscription ${queue}: ${why}`);
  };
  if (options.messages.length === 0) refuse('messages is empty; name at least one');
  for (const name of ['concurrency', 'prefetch'] as const) {
    const value = options[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1 && value <= 65_535))
      refuse(`${name} is ${value}; allowed are 1 to 65535`);
  }
  if (ordered === true && partitionBy !== undefined)
    refuse(
      'ordered and partitionBy exclude each other: ordered is one line for all messages, partitionBy one for each key',
    );
  if (ordered === true && concurrency !== undefined && concurrency !== 1)
    refuse(`ordered allows a concurrency of 1 only; it is ${concurrency}`);
  if (keepsOrder && options.priorities !== undefined)
    refuse('what has priority overtakes, and order forbids it: leave out either');
  if (keepsOrder && circuitBreaker !== undefined && circuitBreaker !== false)
    refuse('a subscription that keeps order holds a failing message already; leave circuitBreaker out');
}

/** Undefined where there is to be none. */
export function circuitBreakerOf({
  queue,
  circuitBreaker,
}: Pick<SubscribeOptions<never>, 'queue' | 'circuitBreaker'>): CircuitBreakerOptions | undefined {
  if (circuitBreaker === undefined || circuitBreaker === false) return undefined;
  return circuitBreakerOptions(queue, circuitBreaker === true ? {} : circuitBreaker);
}
