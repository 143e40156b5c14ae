import { seeded } from './seeded.ts';

/** One request of a load. */
export interface Send {
  /** Number of the order, from 0. The same number is the same order with the same idempotency key. */
  readonly order: number;
  /** Milliseconds since the start. */
  readonly dueMs: number;
  /** Whether the order was sent before. */
  readonly again: boolean;
}

export interface SendOptions {
  /** When each order is due, in order; see arrivals.ts. */
  readonly arrivals: Iterable<number>;
  /** Share of orders that are sent twice, 0 to 1: half of them at the same moment, half some arrivals later. */
  readonly duplicate: number;
  /** Share of orders that change places with others of their window, 0 to 1. */
  readonly reorder: number;
  readonly seed: number;
}

/** So many arrivals make one window: nobody is moved out of it, and the second send comes within as many arrivals. */
export const WINDOW = 64;

/**
 * Which order is sent when: a function of its options alone, so that a load can be repeated. A second send of an order
 * comes after its first, which makes it a real duplicate however the window was shuffled.
 */
export function* sends({ arrivals, duplicate, reorder, seed }: SendOptions): Generator<Send> {
  const random = seeded(seed);
  /** Second sends that are still to come, by the arrival before which they are sent. */
  const later = new Map<number, number[]>();
  let position = 0;
  let dueMs = 0;
  for (const window of windows(arrivals)) {
    const orders = shuffled(window.length, reorder, random);
    const begun = position;
    for (const [index, at] of window.entries()) {
      dueMs = at;
      for (const order of later.get(position) ?? []) yield { order, dueMs, again: true };
      later.delete(position);
      const order = begun + orders[index]!;
      yield { order, dueMs, again: false };
      if (random() < duplicate) {
        if (random() < 0.5) yield { order, dueMs, again: true };
        else {
          const then = position + 1 + Math.floor(random() * WINDOW);
          later.set(then, [...(later.get(then) ?? []), order]);
        }
      }
      position += 1;
    }
  }
  for (const order of [...later.keys()].toSorted((a, b) => a - b).flatMap((then) => later.get(then)!))
    yield { order, dueMs, again: true };
}

function* windows(arrivals: Iterable<number>): Generator<number[]> {
  let window: number[] = [];
  for (const at of arrivals) {
    window.push(at);
    if (window.length < WINDOW) continue;
    yield window;
    window = [];
  }
  yield window;
}

/** 0 to length - 1, a share of which have changed places among themselves (Fisher-Yates). */
function shuffled(length: number, share: number, random: () => number): number[] {
  const all = Array.from({ length }, (_, index) => index);
  if (share === 0) return all;
  const chosen = all.filter(() => random() < share);
  const shuffle = [...chosen];
  for (let last = shuffle.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [shuffle[last], shuffle[other]] = [shuffle[other]!, shuffle[last]!];
  }
  for (const [index, place] of chosen.entries()) all[place] = shuffle[index]!;
  return all;
}
