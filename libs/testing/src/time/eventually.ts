import { setTimeout as pause } from 'node:timers/promises';

export interface EventuallyOptions {
  /** How long to keep asking, in milliseconds. Default 60,000: it bounds a wait that is in vain, and costs nothing else. */
  withinMs?: number;
  /** Pause between two questions, in milliseconds. Default 25. */
  everyMs?: number;
  /** What is waited for, as the error names it: "the queue is empty". */
  describe?: string;
}

const tooLate = Symbol('tooLate');

/**
 * Asks `probe` until it neither throws nor answers `false` or `undefined`, and returns that answer.
 * A probe that hangs counts as one that has not answered. The error names what was waited for and the last
 * failure (also as `cause`).
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  { withinMs = 60_000, everyMs = 25, describe = 'the condition' }: EventuallyOptions = {},
): Promise<Exclude<T, false | undefined>> {
  const deadline = performance.now() + withinMs;
  let last: unknown = 'it was never answered';
  for (;;) {
    const left = deadline - performance.now();
    try {
      const answer = await within(Promise.resolve(probe()), Math.max(left, 1));
      if (answer === tooLate) break;
      if (answer !== false && answer !== undefined) return answer as Exclude<T, false | undefined>;
      last = `it answered ${String(answer)}`;
    } catch (error) {
      last = error;
    }
    if (performance.now() + everyMs > deadline) break;
    await pause(everyMs);
  }
  const reason = last instanceof Error ? last.message : String(last);
  throw new Error(`Not within ${withinMs} ms: ${describe}. Last time: ${reason}`, { cause: last });
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | typeof tooLate> {
  const timer = new AbortController();
  try {
    return await Promise.race([promise, pause<typeof tooLate>(ms, tooLate, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}
