import type { Cancellation } from './cancellation.ts';

/**
 * Cancels what runs longer than `limitMs`. One timer for all: they end in the order they began, and a timer for each
 * message costs as much as decoding it.
 */
export class TimeLimiter {
  readonly #limitMs: number;
  /** With the time of the monotonic clock at which each is over; a map keeps the order in which they began. */
  readonly #running = new Map<Cancellation, number>();
  #isAwake = false;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  begin(limit: Cancellation): void {
    this.#running.set(limit, performance.now() + this.#limitMs);
    if (!this.#isAwake) this.#wake(this.#limitMs);
  }

  end(limit: Cancellation): void {
    this.#running.delete(limit);
  }

  #look(): void {
    this.#isAwake = false;
    const now = performance.now();
    for (const [limit, until] of this.#running) {
      if (until > now) return this.#wake(until - now);
      this.#running.delete(limit);
      limit.cancel(new Error(`the handler ran longer than ${this.#limitMs} ms`));
    }
  }

  /** Does not keep the process alive: what runs does, where it waits for anything. */
  #wake(ms: number): void {
    this.#isAwake = true;
    // A timer of a longer time than 2^31 ms fires at once.
    setTimeout(() => this.#look(), Math.min(Math.ceil(ms), 2 ** 31 - 1)).unref();
  }
}
