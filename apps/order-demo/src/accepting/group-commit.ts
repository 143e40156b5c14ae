import { Admission } from './admission.ts';

/**
 * Group commit: requests that arrive while a batch is being written become the next batch. An idle writer writes at
 * once (no waiting time is added to a lone request), a busy one amortises the round trip and the fsync over all who wait.
 */
export interface GroupCommitOptions<Request, Result> {
  /** Writes a batch in one transaction; one result for each request, in the same order. Rejects for all of them. */
  write(batch: readonly Request[]): Promise<readonly Result[]>;
  /** Most requests in one batch; bounds the time locks are held. */
  maxBatch: number;
  /** Most requests that may wait; beyond that `submit` throws {@link Overloaded} at once. See {@link Admission}. */
  maxWaiting: number;
  /** How long a burst may take to be written; a queue that stands for longer is kept at one batch. Default: no limit. */
  burstMs?: number;
  /** Monotonic, in ms. Default: performance.now. */
  now?: () => number;
  /** Extra time to collect before each batch, 0 = none. Measured: 1 or 2 ms gain nothing here, see docs/order-demo. */
  lingerMs?: number;
}

/** The door is full: nothing was written, trying again after `retryAfterSeconds` is safe. */
export class Overloaded extends Error {
  readonly retryAfterSeconds = 1;
  constructor(waiting: number) {
    super(`${waiting} orders are already waiting to be written, which is the most this process holds now`);
    this.name = 'Overloaded';
  }
}

interface Waiting<Request, Result> {
  request: Request;
  resolve(result: Result): void;
  reject(cause: unknown): void;
}

export class GroupCommit<Request, Result> {
  readonly #options: GroupCommitOptions<Request, Result>;
  readonly #admission: Admission;
  readonly #now: () => number;
  #waiting: Waiting<Request, Result>[] = [];
  #writing = 0;
  #loop: Promise<void> | undefined;

  constructor(options: GroupCommitOptions<Request, Result>) {
    this.#options = options;
    this.#admission = new Admission({ burstMs: Number.POSITIVE_INFINITY, ...options });
    this.#now = options.now ?? (() => performance.now());
  }

  /** Requests in the queue or being written. */
  get inFlight(): number {
    return this.#waiting.length + this.#writing;
  }

  /** Resolves once the request's batch is committed. Throws {@link Overloaded} when the queue is full. */
  submit(request: Request): Promise<Result> {
    const now = this.#now();
    if (!this.#loop) this.#admission.idle(now);
    if (this.#waiting.length >= this.#admission.limit(now)) {
      return Promise.reject(new Overloaded(this.#waiting.length));
    }
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#waiting.push({ request, resolve, reject });
    this.#loop ??= this.#drain();
    return promise;
  }

  /** Resolves when nothing waits and nothing is being written. */
  async idle(): Promise<void> {
    while (this.#loop) await this.#loop;
  }

  async #drain(): Promise<void> {
    // One turn of the event loop: everything that the sockets hold at this moment joins the first batch.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      if (this.#options.lingerMs) await new Promise((resolve) => setTimeout(resolve, this.#options.lingerMs));
      const batch = this.#waiting.splice(0, this.#options.maxBatch);
      this.#writing = batch.length;
      const begun = this.#now();
      this.#admission.taken(batch.length, begun);
      await this.#write(batch);
      this.#admission.written(this.#now() - begun);
      this.#writing = 0;
    }
    this.#loop = undefined;
  }

  async #write(batch: readonly Waiting<Request, Result>[]): Promise<void> {
    try {
      const results = await this.#options.write(batch.map((entry) => entry.request));
      if (results.length !== batch.length) {
        throw new Error(`the writer gave ${results.length} results for a batch of ${batch.length}`);
      }
      results.forEach((result, index) => batch[index]!.resolve(result));
    } catch (cause) {
      for (const entry of batch) entry.reject(cause);
    }
  }
}
