/** Identifies one use of a key: the same key of another team or operation is another one. */
export interface IdempotencyScope {
  readonly key: string;
  /** Who used it: the id of the principal. */
  readonly team: string;
  /** `POST /v1/certificates`. */
  readonly operation: string;
}

/** The answer that is given again. */
export interface StoredAnswer {
  readonly status: number;
  /** JSON text, empty where there was no body. */
  readonly body: string;
  readonly contentType?: string;
}

export type IdempotencyBegin =
  /** The first, or the one before it was given up: go on, and finish or abandon with this claim. */
  | { readonly kind: 'begun'; readonly claim: string }
  | { readonly kind: 'replay'; readonly answer: StoredAnswer }
  /** The key was used with another fingerprint. */
  | { readonly kind: 'reused' }
  | { readonly kind: 'in-progress'; readonly retryAfterSeconds: number };

/** Runs a statement in a transaction of the service; persistence's Tx and Database both are such. */
export interface SqlRunner {
  query<Row = Record<string, unknown>>(sql: string, parameters?: unknown[]): Promise<Row[]>;
}

/** Remembers the first answer to an Idempotency-Key. Implementations must be safe across processes. */
export interface IdempotencyStore {
  begin(scope: IdempotencyScope, fingerprint: string): Promise<IdempotencyBegin>;
  /** Keeps the answer, in the given transaction where there is one. False where the claim was lost meanwhile. */
  finish(scope: IdempotencyScope, claim: string, answer: StoredAnswer, tx?: SqlRunner): Promise<boolean>;
  /** Lets the next request with that key begin anew. */
  abandon(scope: IdempotencyScope, claim: string): Promise<void>;
}

/**
 * The key of the present request, so that a handler can keep its answer in the very transaction that does the work.
 * Without that, a crash between the commit and the keeping of the answer lets a retry do the work again.
 */
export interface PendingIdempotency {
  readonly key: string;
  /**
   * Keeps `result` as the answer, as part of `tx`.
   *
   * @throws Error where the claim was lost to another request (this one took too long): the transaction must roll back.
   */
  storeIn(tx: SqlRunner, result: unknown): Promise<void>;
}
