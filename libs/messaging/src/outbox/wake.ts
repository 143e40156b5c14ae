import type { Database } from '@keelson/persistence';

export const CHANNEL = 'keelson_outbox';

/** A relay of this process. Answers whether it has a broker to publish to. */
type Waker = () => boolean;

interface Wakers {
  local: Set<Waker>;
  pending: boolean;
}

const wakers = new WeakMap<Database, Wakers>();

const of = (database: Database): Wakers => {
  let found = wakers.get(database);
  if (found === undefined) wakers.set(database, (found = { local: new Set(), pending: false }));
  return found;
};

/**
 * Wakes a relay of this database: one of this process if there is one with a broker, else all others by NOTIFY. (To wake
 * all each time would have every process of a service look for each message that one of them writes: most find it taken.)
 * The NOTIFY is not part of the transaction: inside of one it takes a lock on the whole database until the commit is on
 * disk, and so makes all commits wait for each other. It is sent at most every 10 ms; a lost one, or a process that dies
 * between its commit and its relay, only costs the relays' poll interval.
 */
export function wakeRelays(database: Database): void {
  const state = of(database);
  for (const wake of state.local) if (wake()) return;
  if (state.pending) return;
  state.pending = true;
  setTimeout(() => {
    state.pending = false;
    // Without a connection there is nobody to wake: the relays look again by themselves.
    database.query('select pg_notify($1, $2)', [CHANNEL, '']).catch(() => undefined);
  }, 10).unref();
}

/** Registers a relay of this process. Returns how to take it back. */
export function onWake(database: Database, wake: Waker): () => void {
  const { local } = of(database);
  local.add(wake);
  return () => local.delete(wake);
}
