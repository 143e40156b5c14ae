import { messageOf } from '../message-of.ts';
import { NonRetryableError, ThrottledError } from './failure.ts';

export interface RetryPolicy {
  /** Failed attempts after which a message is parked. */
  attempts: number;
  /** Delay before the second attempt; doubled for each further one. */
  firstDelayMs: number;
  maxDelayMs: number;
  /** A message that fails longer than this is parked, however many attempts are left. */
  maxAgeMs: number;
  /** Tries within one attempt, in this process, before the broker is asked to delay the message. */
  quickDelaysMs: readonly number[];
}

export const defaultRetryPolicy: RetryPolicy = {
  attempts: 8,
  firstDelayMs: 1_000,
  maxDelayMs: 300_000,
  maxAgeMs: 86_400_000,
  quickDelaysMs: [50, 200],
};

export interface FailedAttempt {
  readonly error: unknown;
  /** Failed attempts in all, this one included. */
  readonly attempts: number;
  readonly firstFailedAt: Date;
}

export type Verdict =
  | {
      readonly action: 'retry';
      readonly delayMs: number;
      readonly attempts: number;
      readonly kind: 'failed' | 'throttled';
    }
  | { readonly action: 'park'; readonly code: string; readonly reason: string };

/** What becomes of a message whose handler failed. */
export function judge(
  failed: FailedAttempt,
  policy: RetryPolicy,
  now: Date,
  random: () => number = Math.random,
): Verdict {
  const { error, attempts } = failed;
  const reason = messageOf(error);
  if (error instanceof NonRetryableError) return { action: 'park', code: error.code, reason };
  const ageMs = now.getTime() - failed.firstFailedAt.getTime();
  if (ageMs > policy.maxAgeMs)
    return { action: 'park', code: 'too-old', reason: `failing for ${Math.round(ageMs / 1_000)} s: ${reason}` };
  if (error instanceof ThrottledError) {
    return {
      action: 'retry',
      delayMs: lengthen(error.retryAfterMs, random),
      attempts: attempts - 1,
      kind: 'throttled',
    };
  }
  if (attempts >= policy.attempts) return { action: 'park', code: 'attempts-exhausted', reason };
  return { action: 'retry', delayMs: lengthen(delayAfter(attempts, policy), random), attempts, kind: 'failed' };
}

/** Delay after the n-th failed attempt, before jitter. */
export const delayAfter = (attempts: number, policy: RetryPolicy): number =>
  Math.min(policy.maxDelayMs, policy.firstDelayMs * 2 ** Math.min(attempts - 1, 40));

/** Jitter only lengthens, by up to a quarter: who was told to wait must not come early. */
const lengthen = (delayMs: number, random: () => number): number => Math.round(delayMs * (1 + random() / 4));
