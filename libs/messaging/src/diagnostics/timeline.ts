import { defaultRetryPolicy, delayAfter, type RetryPolicy } from '../consume/retry-policy.ts';

// An entry of its own, so that who only computes need not load what talks to a broker.
export { defaultRetryPolicy, type RetryPolicy };

export interface AttemptTime {
  /** 1 is the first. */
  readonly attempt: number;
  /** Wait before it, without and with the most jitter, in milliseconds. */
  readonly waitMs: readonly [number, number];
  /** Since the first attempt, without and with the most jitter. */
  readonly atMs: readonly [number, number];
  /** Runs of the handler in this attempt: one, and the quick tries. */
  readonly runs: number;
}

export interface Timeline {
  readonly attempts: readonly AttemptTime[];
  /** When a message that always fails is parked, since the first attempt, without and with the most jitter. */
  readonly parkedAtMs: readonly [number, number];
  /** Runs of the handler in all. */
  readonly runs: number;
  /** `attempts-exhausted`, or `too-old` where the age limit comes first. */
  readonly parkedAs: 'attempts-exhausted' | 'too-old';
}

/** Jitter lengthens a delay by up to a quarter. */
const MOST_JITTER = 1.25;

/** When a handler that fails each time, and at once, is run. Pure. */
export function timelineOf(policy: RetryPolicy = defaultRetryPolicy): Timeline {
  const quickMs = policy.quickDelaysMs.reduce((sum, delay) => sum + delay, 0);
  const attempts: AttemptTime[] = [];
  let at: [number, number] = [0, 0];
  let tooOld = false;
  for (let attempt = 1; attempt <= policy.attempts && !tooOld; attempt += 1) {
    const wait = attempt === 1 ? 0 : delayAfter(attempt - 1, policy);
    const waitMs: [number, number] = [wait, Math.round(wait * MOST_JITTER)];
    at = [at[0] + waitMs[0], at[1] + waitMs[1]];
    attempts.push({ attempt, waitMs, atMs: [...at], runs: 1 + policy.quickDelaysMs.length });
    at = [at[0] + quickMs, at[1] + quickMs];
    // Measured from the first failure, which comes after the first attempt's quick tries.
    tooOld = at[0] - quickMs > policy.maxAgeMs;
  }
  return {
    attempts,
    parkedAtMs: at,
    runs: attempts.length * (1 + policy.quickDelaysMs.length),
    parkedAs: tooOld ? 'too-old' : 'attempts-exhausted',
  };
}
