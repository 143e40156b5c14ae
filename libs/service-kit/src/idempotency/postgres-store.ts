import { randomUUID } from 'node:crypto';
import type { IdempotencyBegin, IdempotencyScope, IdempotencyStore, SqlRunner, StoredAnswer } from './store.ts';

interface Row {
  readonly claim: string;
  readonly fingerprint: string;
  readonly status: number | null;
  readonly body: string | null;
  readonly content_type: string | null;
  readonly seconds_left: number;
}

/**
 * Takes the key where it is new, expired, or claimed by a request that was given up; else gives the row as it is. One
 * statement, so that of two requests at once exactly one gets its own claim back.
 */
const CLAIM = `
  WITH taken AS (
    INSERT INTO idempotency_keys AS present
      (owner, operation, key, fingerprint, claim, claimed_until, expires_at)
    VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond', now() + $7 * interval '1 millisecond')
    ON CONFLICT (owner, operation, key) DO UPDATE SET
      fingerprint = excluded.fingerprint, claim = excluded.claim, claimed_until = excluded.claimed_until,
      expires_at = excluded.expires_at, status = NULL, body = NULL, content_type = NULL
    WHERE present.expires_at <= now()
       OR (present.status IS NULL AND present.claimed_until <= now() AND present.fingerprint = excluded.fingerprint)
    RETURNING claim
  )
  SELECT claim, '' AS fingerprint, NULL::smallint AS status, NULL AS body, NULL AS content_type, 0 AS seconds_left
    FROM taken
  UNION ALL
  SELECT claim, fingerprint, status, body, content_type,
         greatest(1, ceil(extract(epoch FROM claimed_until - now())))::int AS seconds_left
    FROM idempotency_keys
   WHERE owner = $1 AND operation = $2 AND key = $3 AND NOT EXISTS (SELECT FROM taken)`;

/** Only the request that still has its claim may keep an answer. */
const FINISH = `
  UPDATE idempotency_keys SET status = $5, body = $6, content_type = $7
   WHERE owner = $1 AND operation = $2 AND key = $3 AND claim = $4 AND status IS NULL
  RETURNING claim`;

const ABANDON = `
  DELETE FROM idempotency_keys
   WHERE owner = $1 AND operation = $2 AND key = $3 AND claim = $4 AND status IS NULL`;

/** A slice at a time, so that it never holds many rows; SKIP LOCKED, so that several processes share the work. */
const SWEEP = `
  DELETE FROM idempotency_keys WHERE ctid IN (
    SELECT ctid FROM idempotency_keys WHERE expires_at <= now() LIMIT 1000 FOR UPDATE SKIP LOCKED)`;

export interface PostgresIdempotencyOptions {
  /** How long an answer is kept; 24 h unless told. */
  readonly keptForMs?: number;
  /** After this time a request counts as given up and its key is free; must exceed the request time limit. 60 s. */
  readonly claimedForMs?: number;
}

/** Expired rows are removed by every n-th request: no timer, and the work grows with the load that causes it. */
const SWEEP_EVERY = 1000;

/** Keeps answers in the table `idempotency_keys` (see {@link idempotencyMigrations}); safe across processes. */
export class PostgresIdempotencyStore implements IdempotencyStore {
  readonly #database: SqlRunner;
  readonly #keptForMs: number;
  readonly #claimedForMs: number;
  #begun = 0;

  constructor(database: SqlRunner, { keptForMs = 86_400_000, claimedForMs = 60_000 }: PostgresIdempotencyOptions = {}) {
    this.#database = database;
    this.#keptForMs = keptForMs;
    this.#claimedForMs = claimedForMs;
  }

  async begin({ key, owner, operation }: IdempotencyScope, fingerprint: string): Promise<IdempotencyBegin> {
    if (++this.#begun % SWEEP_EVERY === 0) await this.#database.query(SWEEP);
    const claim = randomUUID();
    const parameters = [owner, operation, key, fingerprint, claim, this.#claimedForMs, this.#keptForMs];
    for (;;) {
      const [row] = await this.#database.query<Row>(CLAIM, parameters);
      // The row was inserted by another request after this statement's snapshot, or abandoned within it: look again.
      if (row === undefined) continue;
      if (row.claim === claim) return { kind: 'begun', claim };
      if (row.fingerprint !== fingerprint) return { kind: 'reused' };
      if (row.status === null) return { kind: 'in-progress', retryAfterSeconds: Math.min(row.seconds_left, 5) };
      const answer = { status: row.status, body: row.body ?? '', contentType: row.content_type ?? undefined };
      return { kind: 'replay', answer };
    }
  }

  async finish(
    { key, owner, operation }: IdempotencyScope,
    claim: string,
    { status, body, contentType = null }: Omit<StoredAnswer, 'contentType'> & { contentType?: string | null },
    tx: SqlRunner = this.#database,
  ): Promise<boolean> {
    const rows = await tx.query(FINISH, [owner, operation, key, claim, status, body, contentType]);
    // TypeORM's raw query gives [rows, count] for an UPDATE, others the rows.
    return (Array.isArray(rows[0]) ? rows[0] : rows).length === 1;
  }

  async abandon({ key, owner, operation }: IdempotencyScope, claim: string): Promise<void> {
    await this.#database.query(ABANDON, [owner, operation, key, claim]);
  }
}
