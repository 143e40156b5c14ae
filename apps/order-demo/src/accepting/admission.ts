export interface AdmissionOptions {
  /** Most that may wait, whatever else: bounds memory. */
  readonly maxWaiting: number;
  /** What one batch takes at most. */
  readonly maxBatch: number;
  /** A queue that has not been worked off for so long is a standing one; a burst may take so long to be worked off. */
  readonly burstMs: number;
}

/**
 * How many may wait at the door. A burst may fill the queue as far as it is worked off within `burstMs`. When every
 * batch has been full for longer than that, more comes than is written: the queue stands, and all that its length buys
 * is latency. Then one batch may wait behind the one being written, so that whoever is let in is answered after two
 * writes at most, however slow they are; a batch that is not full ends it. (CoDel's distinction of good queue and bad
 * queue, RFC 8289 section 3, in the form of Maurer's "Fail at Scale", ACM Queue 13/8.)
 *
 * States: relaxed (at first, and after each batch that was not full) -> standing when only full batches were taken for
 * `burstMs`; standing -> relaxed with the first batch that is not full, or when the door is idle.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  /** When a batch last took all who waited and had room left. */
  #roomAtMs = Number.NEGATIVE_INFINITY;
  /** Running mean of a batch's time, weight 1/5 for the newest. It begins with what a durable commit usually takes. */
  #batchMs = 10;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Nobody waits and nothing is being written. */
  idle(nowMs: number): void {
    this.#roomAtMs = nowMs;
  }

  /** So many were taken to be written. */
  taken(count: number, nowMs: number): void {
    if (count < this.#options.maxBatch) this.#roomAtMs = nowMs;
  }

  /** A batch was written, in this time. */
  written(durationMs: number): void {
    this.#batchMs += (durationMs - this.#batchMs) / 5;
  }

  /** Most that may wait now. */
  limit(nowMs: number): number {
    const { maxWaiting, maxBatch, burstMs } = this.#options;
    const standing = nowMs - this.#roomAtMs > burstMs;
    const batches = standing ? 1 : Math.max(1, Math.floor(burstMs / this.#batchMs));
    return Math.min(maxWaiting, batches * maxBatch);
  }
}
