import { delayAfter, type RetryPolicy } from './retry-policy.ts';

/** RabbitMQ closes the channel of a consumer that keeps a delivery longer than its consumer_timeout; this is its default. */
export const DEFAULT_CONSUMER_TIMEOUT_MS = 1_800_000;

/** Of a batch that failed, so many messages are handled at the same time, each by itself. */
export const ALONE_AT_ONCE = 5;

/**
 * Refuses a subscription that could keep one delivery longer than the broker lets it: the broker would take the
 * message back, close the channel, and do so again each time. Throws a TypeError with the sum.
 */
export function refuseBeyondConsumerTimeout(options: {
  queue: string;
  timeoutMs: number;
  retry: RetryPolicy;
  keepsOrder: boolean;
  consumerTimeoutMs: number;
  /** Messages handled together, where they are. */
  batch?: number;
}): void {
  const { queue, timeoutMs, retry, keepsOrder, consumerTimeoutMs, batch } = options;
  if (!(timeoutMs >= 1)) throw new TypeError(`subscription ${queue}: timeoutMs is ${timeoutMs}; allowed is from 1`);
  const one = longestHoldMs(timeoutMs, retry, keepsOrder);
  // It waits for the batch before, then runs with its own, then has its turn by itself.
  const longest = batch === undefined ? one : 2 * timeoutMs + Math.ceil(batch / ALONE_AT_ONCE) * one;
  if (longest < consumerTimeoutMs) return;
  const tries = keepsOrder
    ? `${retry.attempts} attempts, held in this process to keep the order`
    : `${retry.quickDelaysMs.length + 1} tries of one attempt`;
  const parts = batch === undefined ? tries : `${tries} for each of a batch of ${batch} that failed`;
  throw new TypeError(
    `subscription ${queue}: a message could be held for ${longest} ms (timeoutMs ${timeoutMs}, ${parts}), ` +
      `and the broker takes it back after ${consumerTimeoutMs} ms. Lower timeoutMs${batch === undefined ? '' : ', size'} or the retry policy, or raise ` +
      `consumer_timeout in rabbitmq.conf and consumerTimeoutMs in Messaging.connect.`,
  );
}

/** The longest that one delivery is worked on before it is settled, in ms. */
export function longestHoldMs(timeoutMs: number, retry: RetryPolicy, keepsOrder: boolean): number {
  const tries = retry.quickDelaysMs.length + 1;
  const oneAttempt = tries * timeoutMs + retry.quickDelaysMs.reduce((sum, delay) => sum + delay, 0);
  if (!keepsOrder) return oneAttempt;
  let held = 0;
  // Jitter lengthens a delay by a quarter at most.
  for (let attempt = 1; attempt < retry.attempts; attempt += 1) held += delayAfter(attempt, retry) * 1.25;
  return Math.round(retry.attempts * oneAttempt + held);
}
