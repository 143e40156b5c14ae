export type BackoffOptions = { firstDelayMs: number; maxDelayMs: number };

/** What watches and requests use. */
export const defaultBackoff: BackoffOptions = { firstDelayMs: 250, maxDelayMs: 30_000 };

/**
 * Full jitter: anything between 0 and the doubled-up limit, so that clients that failed together do not come back
 * together. A wait that the server asked for is always kept, with jitter on top.
 */
export function backoffDelayMs(
  attempt: number,
  options: BackoffOptions = defaultBackoff,
  retryAfterSeconds?: number,
  random: () => number = Math.random,
): number {
  const ceiling = Math.min(options.maxDelayMs, options.firstDelayMs * 2 ** Math.min(attempt, 30));
  return Math.round((retryAfterSeconds ?? 0) * 1000 + random() * ceiling);
}

/** Waits; returns early, without an error, when the signal aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}
