import type { Database } from '@keelson/persistence';

const wakers = new WeakMap<Database, Set<() => void>>();

/**
 * Tells the schedulers of this process that something new waits: it may be due sooner than what they sleep for. Those
 * of other processes see it at their next look.
 */
export function wakeSchedulers(database: Database): void {
  for (const wake of wakers.get(database) ?? []) wake();
}

/** Registers a scheduler of this process. Returns how to take it back. */
export function onWake(database: Database, wake: () => void): () => void {
  let all = wakers.get(database);
  if (all === undefined) wakers.set(database, (all = new Set()));
  all.add(wake);
  return () => all.delete(wake);
}
