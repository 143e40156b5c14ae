const FIRST_MS = 500;
const MOST_MS = 60_000;

/** How long to wait before the n-th further attempt (1, 2, ...), ms: doubling, half of it at random, a minute at most. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const most = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 20));
  return most * (0.5 + random() / 2);
}
