import type { Database } from '@keelson/persistence';

export const CHANNEL = 'keelson_outbox';

interface Wakers {
  local: Set<() => void>;
  pending: boolean;
}

const wakers = new WeakMap<Database, Wakers>();

const of = (database: Database): Wakers => {
  let found = wakers.get(database);
  if (found === undefined) wakers.set(database, (found = { local: new Set(), pending: false }));
  return found;
};

/**
 * Wakes the relays of this database: those of this process at once, others by NOTIFY. The NOTIFY is not part of the
 * transaction: inside of one it takes a lock on the whole database until the commit is on disk, and so makes
 * all commits wait for each other. It is sent at most every 10 ms; a lost one only costs the relays' poll interval.
 */
export function wakeRelays(database: Database): void {
  const state = of(database);
  for (const wake of state.local) wake();
  if (state.pending) return;
  state.pending = true;
  setTimeout(() => {
    state.pending = false;
    // Without a connection there is nobody to wake: the relays look again by themselves.
    database.query('select pg_notify($1, $2)', [CHANNEL, '']).catch(() => undefined);
  }, 10).unref();
}

/** Registers a relay of this process. Returns how to take it back. */
export function onWake(database: Database, wake: () => void): () => void {
  const { local } = of(database);
  local.add(wake);
  return () => local.delete(wake);
}
