import type { Database } from './database.ts';

/** The connection that holds a lock. */
export interface LockSession {
  /**
   * Runs one statement on that connection and returns its rows. It fails once the lock is lost, so whatever is written
   * here was written by the holder.
   */
  query<T>(sql: string, params?: readonly unknown[]): Promise<T[]>;
  /** Aborted when the connection is gone, and the lock with it: another process may hold it by now. */
  readonly lost: AbortSignal;
}

interface PgClient {
  query(sql: string, params?: readonly unknown[]): Promise<{ rows: unknown[] }>;
  on(event: 'error' | 'end', listener: () => void): void;
  off(event: 'error' | 'end', listener: () => void): void;
}

/**
 * A lock by name that at most one process holds; the server frees it when the holder's connection ends, so a killed
 * holder blocks nobody. PostgreSQL manual, 13.3.5.
 */
export class AdvisoryLock {
  readonly #database: Database;
  readonly #name: string;

  constructor(database: Database, name: string) {
    this.#database = database;
    this.#name = name;
  }

  /**
   * Runs the work while holding the lock, on a connection of its own. Resolves to `{ held: false }` at once when
   * another process holds it. The work must end when `session.lost` says so, or use the session for what only the holder
   * may write.
   */
  async tryRun<T>(work: (session: LockSession) => Promise<T>): Promise<{ held: true; result: T } | { held: false }> {
    const runner = this.#database.dataSource.createQueryRunner();
    try {
      const client = (await runner.connect()) as PgClient;
      const sql = 'select pg_try_advisory_lock(hashtextextended($1, 0)) as held';
      const { rows } = await client.query(sql, [this.#name]);
      if ((rows as { held: boolean }[])[0]?.held !== true) return { held: false };
      const lost = new AbortController();
      const lose = (): void => lost.abort(new Error(`the connection that held the lock ${this.#name} is gone`));
      client.on('error', lose);
      client.on('end', lose);
      try {
        const query: LockSession['query'] = async <Row>(text: string, params?: readonly unknown[]) =>
          (await client.query(text, params)).rows as Row[];
        return { held: true, result: await work({ query, lost: lost.signal }) };
      } finally {
        client.off('error', lose);
        client.off('end', lose);
        // Fails only when the connection is gone, and the lock with it.
        await client.query('select pg_advisory_unlock(hashtextextended($1, 0))', [this.#name]).catch(() => undefined);
      }
    } finally {
      await runner.release();
    }
  }
}
