/**
 * Tells work to stop, once, with a reason. Does what AbortController does, and makes one only for a handler that
 * looks at its signal: composed AbortSignals cost more per message than everything else in its handling.
 */
export class Cancellation {
  #reason: Error | undefined;
  #controller: AbortController | undefined;
  /** Almost always there is one at most: a set of its own for each message would cost more than it holds. */
  #listener: ((reason: Error) => void) | undefined;
  #more: Set<(reason: Error) => void> | undefined;

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
    this.#listener?.(reason);
    for (const listener of this.#more ?? []) listener(reason);
    this.#listener = undefined;
    this.#more = undefined;
  }

  /** Calls back at once when it happened already. Returns how to take the listener away. */
  onCancel(listener: (reason: Error) => void): () => void {
    if (this.#reason !== undefined) listener(this.#reason);
    else if (this.#listener === undefined) this.#listener = listener;
    else (this.#more ??= new Set()).add(listener);
    return () => {
      if (this.#listener === listener) this.#listener = undefined;
      else this.#more?.delete(listener);
    };
  }

  /** Rejects with the reason as soon as this is cancelled, though the work may go on. */
  stopping<T>(work: Promise<T>): Promise<T> {
    // By hand: Promise.race would make three promises more for each message.
    return new Promise((resolve, reject) => {
      const forget = this.onCancel(reject);
      const succeeded = (value: T): void => {
        forget();
        resolve(value);
      };
      const failed = (error: unknown): void => {
        forget();
        reject(error);
      };
      work.then(succeeded, failed);
    });
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
