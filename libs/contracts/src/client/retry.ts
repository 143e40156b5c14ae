import { NoAnswerError, ProblemError } from './errors.ts';

export interface RetryOptions {
  /** Calls in all, the first included. */
  readonly attempts: number;
  /** Before the second call; doubled each time, with jitter. Retry-After wins. */
  readonly firstDelayMs: number;
  /** No wait is longer; where Retry-After asks for more the error is given back instead. */
  readonly maxDelayMs: number;
}

export const defaultRetry: RetryOptions = { attempts: 3, firstDelayMs: 200, maxDelayMs: 10_000 };

/** Repeats a call that may be repeated while the service says "not now" (429, 503, key in progress) or does not answer. */
export async function withRetry<T>(call: () => Promise<T>, retry: RetryOptions, signal?: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      const delayMs = delayBefore(error, attempt, retry);
      if (delayMs === undefined || signal?.aborted === true) throw error;
      await pause(delayMs, signal);
    }
  }
}

/** Milliseconds until the next attempt, undefined where there is none. */
function delayBefore(error: unknown, attempt: number, retry: RetryOptions): number | undefined {
  if (attempt >= retry.attempts || !isPassing(error)) return undefined;
  const asked = error instanceof ProblemError ? error.retryAfterMs : undefined;
  if (asked !== undefined) return asked > retry.maxDelayMs ? undefined : asked;
  // Half fixed, half random: clients that failed together do not come back together.
  const backoffMs = Math.min(retry.maxDelayMs, retry.firstDelayMs * 2 ** (attempt - 1));
  return backoffMs / 2 + (Math.random() * backoffMs) / 2;
}

function isPassing(error: unknown): boolean {
  if (error instanceof NoAnswerError) return true;
  if (!(error instanceof ProblemError)) return false;
  return error.status === 429 || error.status === 503 || error.code === 'idempotency-key-in-progress';
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
