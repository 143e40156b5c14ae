const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const;

/** A length of time in its largest unit: `45 s`, `12 min`, `3 h`, `5 d`; below a second `0 s`. */
export function span(milliseconds: number): string {
  const seconds = Math.floor(Math.abs(milliseconds) / 1000);
  for (const [unit, size] of UNITS) if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
  return `${seconds} s`;
}

/** An instant as seen from now: `just now`, `3 min ago`, `in 5 d`. */
export function relative(at: number, now: number): string {
  const distance = at - now;
  if (Math.abs(distance) < 2_000) return 'just now';
  return distance < 0 ? `${span(distance)} ago` : `in ${span(distance)}`;
}

/** The pause between two steps, where milliseconds matter: `31 ms`, `1.02 s`, `25.1 s`, `3 min`. */
export function pause(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 10_000) return `${(milliseconds / 1000).toFixed(2)} s`;
  return milliseconds < 120_000 ? `${(milliseconds / 1000).toFixed(1)} s` : span(milliseconds);
}

/** The beginning of this minute, for what is shown and should not change under the pointer. */
export const thisMinute = (): number => Math.floor(Date.now() / 60_000) * 60_000;
