export interface QueueOptions {
  name: string;
  /** Brings one object in line with its spec. Throwing has it tried again, later and later. */
  sync(key: string): Promise<void>;
  /** Whether a failure is a matter of course (somebody else wrote first) and not worth a log line. */
  expected(error: unknown): boolean;
  log(text: string): void;
}

const firstDelayMs = 10;
const longestDelayMs = 10_000;

/**
 * Work by key: a key is synced by one worker at a time, and once more if it was added meanwhile. However often it is
 * added while it waits, it is synced once.
 */
export class WorkQueue {
  readonly #options: QueueOptions;
  readonly #waiting = new Set<string>();
  readonly #running = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #stopped = false;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  add(key: string): void {
    if (this.#stopped || this.#waiting.has(key)) return;
    this.#waiting.add(key);
    if (!this.#running.has(key)) queueMicrotask(() => void this.#run(key));
  }

  /** Adds the key when `delayMs` have passed; an earlier appointment stands. */
  addAfter(key: string, delayMs: number): void {
    if (this.#stopped || this.#timers.has(key)) return;
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      this.add(key);
    }, delayMs);
    this.#timers.set(key, timer);
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  async #run(key: string): Promise<void> {
    if (this.#stopped || this.#running.has(key) || !this.#waiting.delete(key)) return;
    this.#running.add(key);
    try {
      await this.#options.sync(key);
      this.#failures.delete(key);
    } catch (error) {
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      if (!this.#stopped && !this.#options.expected(error)) {
        this.#options.log(
          `${this.#options.name} ${key}: ${error instanceof Error ? error.message : String(error)}; tried again`,
        );
      }
      this.addAfter(key, Math.min(firstDelayMs * 2 ** (failures - 1), longestDelayMs));
    } finally {
      this.#running.delete(key);
      if (this.#waiting.has(key)) queueMicrotask(() => void this.#run(key));
    }
  }
}
