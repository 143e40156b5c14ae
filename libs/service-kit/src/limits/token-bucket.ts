/** Outcome of asking a bucket for one request. */
export interface Taken {
  readonly allowed: boolean;
  /** Whole requests that may follow at once. */
  readonly remaining: number;
  /** Seconds until one is allowed again (0 where one is). */
  readonly retryAfterSeconds: number;
  /** Seconds until the bucket is full. */
  readonly resetSeconds: number;
}

interface Level {
  tokens: number;
  atMs: number;
}

/** Keys kept at most; beyond, full buckets are dropped first, which loses nothing. */
const MAX_KEYS = 10_000;

/** Token buckets by key: `perSecond` in the long run, twice that (at least 1) at once. */
export class TokenBuckets {
  readonly #perSecond: number;
  readonly capacity: number;
  readonly #levels = new Map<string, Level>();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.capacity = Math.max(1, Math.ceil(perSecond * 2));
  }

  /** Takes one at `nowMs` (a monotonic time). */
  take(key: string, nowMs: number): Taken {
    const level = this.#levels.get(key) ?? { tokens: this.capacity, atMs: nowMs };
    const gained = (Math.max(0, nowMs - level.atMs) / 1000) * this.#perSecond;
    const before = Math.min(this.capacity, level.tokens + gained);
    const allowed = before >= 1;
    const tokens = allowed ? before - 1 : before;
    this.#levels.delete(key);
    this.#levels.set(key, { tokens, atMs: nowMs });
    if (this.#levels.size > MAX_KEYS) this.#forget(nowMs);
    return {
      allowed,
      remaining: Math.floor(tokens),
      retryAfterSeconds: allowed ? 0 : (1 - tokens) / this.#perSecond,
      resetSeconds: (this.capacity - tokens) / this.#perSecond,
    };
  }

  #forget(nowMs: number): void {
    const fullAfterMs = (this.capacity / this.#perSecond) * 1000;
    for (const [key, level] of this.#levels) if (nowMs - level.atMs >= fullAfterMs) this.#levels.delete(key);
    // All are busy: the one unused for longest goes (a Map keeps the order of insertion).
    if (this.#levels.size > MAX_KEYS) this.#levels.delete(this.#levels.keys().next().value!);
  }
}
