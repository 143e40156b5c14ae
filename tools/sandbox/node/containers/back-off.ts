/**
 * Kubelet's crash-loop back-off: the first restart is immediate, the next waits `baseMs` after the exit, then twice as
 * long each time up to `maxMs`. After twice `maxMs` without an exit it starts over. Source: client-go flowcontrol.Backoff
 * as kubelet uses it (10 s, 300 s).
 */
export type BackOffLimits = { baseMs: number; maxMs: number };

/** What is remembered between restarts; undefined before the first one. */
export type BackOff = { delayMs: number; restartedAt: number };

/** When a container that ended at `finishedAt` (milliseconds) may start again. */
export function mayRestartAt(backOff: BackOff | undefined, finishedAt: number, limits: BackOffLimits): number {
  if (backOff === undefined || isOver(backOff, finishedAt, limits)) return finishedAt;
  return finishedAt + backOff.delayMs;
}

/** The memory after a restart of a container that had ended at `finishedAt`. */
export function afterRestart(
  backOff: BackOff | undefined,
  finishedAt: number,
  now: number,
  limits: BackOffLimits,
): BackOff {
  if (backOff === undefined || isOver(backOff, finishedAt, limits)) return { delayMs: limits.baseMs, restartedAt: now };
  return { delayMs: Math.min(backOff.delayMs * 2, limits.maxMs), restartedAt: now };
}

const isOver = (backOff: BackOff, finishedAt: number, limits: BackOffLimits): boolean =>
  finishedAt - backOff.restartedAt > 2 * limits.maxMs;
