export interface CircuitBreakerOptions {
  /** Share of failed attempts, 0 to 1, from which it opens. Default 0.5. */
  failureShare: number;
  /** Attempts within the window below which nothing is concluded. Default 10. */
  minimum: number;
  /** How long attempts are counted together. Default 60,000. */
  windowMs: number;
  /** How long it stays open before one message is tried; doubled each time that fails. Default 5,000. */
  openMs: number;
  /** Default 120,000. */
  maxOpenMs: number;
}

export const defaultCircuitBreaker: CircuitBreakerOptions = {
  failureShare: 0.5,
  minimum: 10,
  windowMs: 60_000,
  openMs: 5_000,
  maxOpenMs: 120_000,
};

/**
 * closed: messages are handled, failed attempts counted. closed -> open when enough of them failed: nothing is taken
 * from the queue. open -> half-open at `until`: one message at a time. half-open -> closed when it is handled, -> open
 * for twice as long when it fails. What ends late, after the state it began in, says nothing (see `era`).
 */
export type Circuit =
  | {
      readonly state: 'closed';
      readonly era: number;
      readonly since: number;
      readonly handled: number;
      readonly failed: number;
    }
  | { readonly state: 'open'; readonly era: number; readonly until: number; readonly times: number }
  | { readonly state: 'half-open'; readonly era: number; readonly times: number };

export type CircuitEvent =
  | { readonly kind: 'handled' | 'failed'; /** Of the circuit when the attempt began. */ readonly era: number }
  | { readonly kind: 'time' };

export const closedCircuit = (now: number, era = 0): Circuit => ({
  state: 'closed',
  era,
  since: now,
  handled: 0,
  failed: 0,
});

/** The circuit after the event; the same object when nothing changed. `now` in ms of any clock that does not go back. */
export function nextCircuit(
  circuit: Circuit,
  event: CircuitEvent,
  now: number,
  options: CircuitBreakerOptions,
): Circuit {
  if (event.kind === 'time') {
    if (circuit.state !== 'open' || now < circuit.until) return circuit;
    return { state: 'half-open', era: circuit.era + 1, times: circuit.times };
  }
  if (event.era !== circuit.era) return circuit;
  switch (circuit.state) {
    case 'open':
      return circuit;
    case 'half-open':
      return event.kind === 'handled'
        ? closedCircuit(now, circuit.era + 1)
        : open(circuit, circuit.times, now, options);
    case 'closed': {
      // A window that is over starts anew with this attempt.
      const over = now - circuit.since >= options.windowMs;
      const before = over ? { since: now, handled: 0, failed: 0 } : circuit;
      const handled = before.handled + (event.kind === 'handled' ? 1 : 0);
      const failed = before.failed + (event.kind === 'failed' ? 1 : 0);
      const counted: Circuit = { state: 'closed', era: circuit.era, since: before.since, handled, failed };
      const all = handled + failed;
      const trips = event.kind === 'failed' && all >= options.minimum && failed / all >= options.failureShare;
      return trips ? open(counted, 0, now, options) : counted;
    }
  }
}

function open(from: Circuit, times: number, now: number, { openMs, maxOpenMs }: CircuitBreakerOptions): Circuit {
  const forMs = Math.min(maxOpenMs, openMs * 2 ** Math.min(times, 30));
  return { state: 'open', era: from.era + 1, until: now + forMs, times: times + 1 };
}

/** The options in full. Throws a TypeError that names the one at fault. */
export function circuitBreakerOptions(queue: string, given: Partial<CircuitBreakerOptions>): CircuitBreakerOptions {
  const all = { ...defaultCircuitBreaker, ...given };
  const refuse = (name: keyof CircuitBreakerOptions, allowed: string): never => {
    throw new TypeError(`subscription ${queue}: circuitBreaker.${name} is ${all[name]}; allowed is ${allowed}`);
  };
  if (!(all.failureShare > 0 && all.failureShare <= 1)) refuse('failureShare', 'above 0, up to 1');
  if (!(Number.isSafeInteger(all.minimum) && all.minimum >= 1)) refuse('minimum', 'a whole number from 1');
  if (!(all.windowMs >= 1)) refuse('windowMs', 'from 1');
  if (!(all.openMs >= 1)) refuse('openMs', 'from 1');
  if (!(all.maxOpenMs >= all.openMs)) refuse('maxOpenMs', `from openMs (${all.openMs})`);
  return all;
}
