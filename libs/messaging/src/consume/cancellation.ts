/**
 * Tells work to stop, once, with a reason. Does what AbortController does, and makes one only for a handler that
 * looks at its signal: composed AbortSignals cost more per message than everything else in its handling.
 */
export class Cancellation {
  #reason: Error | undefined;
  #controller: AbortController | undefined;
  readonly #listeners = new Set<(reason: Error) => void>();

  /** Why, once it happened. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  get cancelled(): boolean {
    return this.#reason !== undefined;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  cancel(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    for (const listener of this.#listeners) listener(reason);
    this.#listeners.clear();
  }

  /** Calls back at once when it happened already. Returns how to take the listener away. */
  onCancel(listener: (reason: Error) => void): () => void {
    if (this.#reason !== undefined) listener(this.#reason);
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Rejects with the reason as soon as this is cancelled, though the work may go on. */
  async stopping<T>(work: Promise<T>): Promise<T> {
    let forget: () => void = () => undefined;
    const stopped = new Promise<never>((_resolve, reject) => (forget = this.onCancel(reject)));
    try {
      return await Promise.race([work, stopped]);
    } finally {
      forget();
    }
  }

  /** Resolves after the time, or rejects as {@link stopping} does. */
  async pause(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await this.stopping(new Promise<void>((resolve) => (timer = setTimeout(resolve, ms))));
    } finally {
      clearTimeout(timer);
    }
  }
}
