/**
 * Keys that want work, each handled by one worker at a time. A key added while it is being worked on is worked on once
 * more after that; a failed one comes back with a growing delay.
 */
export class WorkQueue {
  readonly #work: (key: string) => Promise<number | undefined>;
  readonly #onError: (key: string, error: unknown, retryInMs: number) => void;
  readonly #concurrency: number;
  readonly #ready = new Set<string>();
  readonly #active = new Map<string, Promise<void>>();
  readonly #timers = new Map<string, { timer: NodeJS.Timeout; dueAt: number }>();
  readonly #failures = new Map<string, number>();
  readonly #stopping = new AbortController();

  /** @param options.work does the work of a key and returns in how many ms it wants to be called again, if at all */
  constructor(options: {
    work: (key: string) => Promise<number | undefined>;
    onError: (key: string, error: unknown, retryInMs: number) => void;
    concurrency?: number;
  }) {
    this.#work = options.work;
    this.#onError = options.onError;
    this.#concurrency = options.concurrency ?? 8;
  }

  /** Wants work on the key now, or in `delayMs`; the earlier of two wishes wins. */
  add(key: string, delayMs = 0): void {
    if (this.#stopping.signal.aborted) return;
    if (delayMs <= 0) {
      this.#cancelTimer(key);
      this.#ready.add(key);
      this.#next();
      return;
    }
    const dueAt = performance.now() + delayMs;
    const waiting = this.#timers.get(key);
    if (waiting && waiting.dueAt <= dueAt) return;
    this.#cancelTimer(key);
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      this.add(key);
    }, delayMs);
    this.#timers.set(key, { timer, dueAt });
  }

  /** Takes nothing new up and resolves when what is being worked on has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const key of this.#timers.keys()) this.#cancelTimer(key);
    this.#ready.clear();
    await Promise.allSettled(this.#active.values());
  }

  #next(): void {
    for (const key of this.#ready) {
      if (this.#active.size >= this.#concurrency) return;
      if (this.#active.has(key)) continue;
      this.#ready.delete(key);
      this.#active.set(key, this.#run(key));
    }
  }

  async #run(key: string): Promise<void> {
    try {
      const again = await this.#work(key);
      this.#failures.delete(key);
      if (again !== undefined) this.add(key, again);
    } catch (error) {
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      const delay = Math.min(10_000, 200 * 2 ** Math.min(failures, 8)) * (0.5 + Math.random() / 2);
      if (!this.#stopping.signal.aborted) this.#onError(key, error, delay);
      this.add(key, delay);
    } finally {
      this.#active.delete(key);
      this.#next();
    }
  }

  #cancelTimer(key: string): void {
    clearTimeout(this.#timers.get(key)?.timer);
    this.#timers.delete(key);
  }
}
