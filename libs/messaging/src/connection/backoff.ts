/** Exponential back-off with full jitter: anything from 0 to the bound, so that clients do not return in step. */
export function fullJitter(
  attempt: number,
  options: { baseMs: number; capMs: number },
  random: () => number = Math.random,
): number {
  const bound = Math.min(options.capMs, options.baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(bound * random());
}
