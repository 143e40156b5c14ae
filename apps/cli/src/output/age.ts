/** Time since then as kubectl prints it: `45s`, `12m`, `3h`, `5d`. */
export function age(since: string, now: Date): string {
  return span((now.getTime() - Date.parse(since)) / 1000);
}

/** Time until then, `expired` where it has passed. */
export function until(then: string, now: Date): string {
  const seconds = (Date.parse(then) - now.getTime()) / 1000;
  return seconds <= 0 ? 'expired' : span(seconds);
}

function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 120) return `${whole}s`;
  if (whole < 7_200) return `${Math.floor(whole / 60)}m`;
  if (whole < 172_800) return `${Math.floor(whole / 3_600)}h`;
  return `${Math.floor(whole / 86_400)}d`;
}
