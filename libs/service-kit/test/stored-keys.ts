import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { IdempotencyBegin, IdempotencyScope, IdempotencyStore, SqlRunner, StoredAnswer } from '../src/index.ts';

/**
 * The simplest store on PostgreSQL that fulfils the port: what is tested with it is what the kit does around a store.
 * Services use the one of libs/persistence, which has tests of its own (this lib must not import it).
 */
export class StoredKeys implements IdempotencyStore, SqlRunner {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async query<Row>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return (await this.#pool.query(sql, parameters)).rows as Row[];
  }

  async create(): Promise<void> {
    await this.query(`CREATE TABLE keys (team text, operation text, key text, fingerprint text, claim uuid,
      claimed_at timestamptz DEFAULT now(), status int, body text, content_type text, PRIMARY KEY (team, operation, key))`);
    await this.query('CREATE TABLE books (title text)');
  }

  /** As if the process that holds the claims had died long ago. */
  async forgetClaims(): Promise<void> {
    await this.query(`UPDATE keys SET claimed_at = now() - interval '1 hour'`);
  }

  async begin({ team, operation, key }: IdempotencyScope, fingerprint: string): Promise<IdempotencyBegin> {
    const claim = randomUUID();
    const taken = await this.query(
      `INSERT INTO keys (team, operation, key, fingerprint, claim) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (team, operation, key) DO UPDATE SET claim = excluded.claim, claimed_at = now()
       WHERE keys.status IS NULL AND keys.claimed_at < now() - interval '1 minute' RETURNING 1`,
      [team, operation, key, fingerprint, claim],
    );
    if (taken.length > 0) return { kind: 'begun', claim };
    const [row] = await this.query<{ fingerprint: string; status: number | null; body: string; content_type: string }>(
      'SELECT * FROM keys WHERE team = $1 AND operation = $2 AND key = $3',
      [team, operation, key],
    );
    if (row === undefined) return { kind: 'in-progress', retryAfterSeconds: 1 };
    if (row.fingerprint !== fingerprint) return { kind: 'reused' };
    if (row.status === null) return { kind: 'in-progress', retryAfterSeconds: 2 };
    const answer = { status: row.status, body: row.body, contentType: row.content_type ?? undefined };
    return { kind: 'replay', answer };
  }

  async finish(
    { team, operation, key }: IdempotencyScope,
    claim: string,
    { status, body, contentType }: StoredAnswer,
    tx: SqlRunner = this,
  ): Promise<boolean> {
    const rows = await tx.query(
      `UPDATE keys SET status = $5, body = $6, content_type = $7
       WHERE team = $1 AND operation = $2 AND key = $3 AND claim = $4 AND status IS NULL RETURNING 1`,
      [team, operation, key, claim, status, body, contentType],
    );
    return rows.length === 1;
  }

  async abandon({ team, operation, key }: IdempotencyScope, claim: string): Promise<void> {
    const where = 'team = $1 AND operation = $2 AND key = $3 AND claim = $4 AND status IS NULL';
    await this.query(`DELETE FROM keys WHERE ${where}`, [team, operation, key, claim]);
  }

  /** Runs `work` in one transaction on a connection of its own. */
  async transaction<T>(work: (tx: SqlRunner) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    const tx: SqlRunner = {
      query: async <Row>(sql: string, parameters: unknown[] = []) =>
        (await client.query(sql, parameters)).rows as Row[],
    };
    try {
      await client.query('BEGIN');
      const result = await work(tx);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
  }
}
