import type { Database } from './database.ts';

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
   * another process holds it.
   */
  async tryRun<T>(work: () => Promise<T>): Promise<{ held: true; result: T } | { held: false }> {
    const runner = this.#database.dataSource.createQueryRunner();
    try {
      const sql = 'select pg_try_advisory_lock(hashtextextended($1, 0)) as held';
      const [row] = (await runner.query(sql, [this.#name])) as { held: boolean }[];
      if (row?.held !== true) return { held: false };
      try {
        return { held: true, result: await work() };
      } finally {
        // Fails only when the connection is gone, and the lock with it.
        await runner.query('select pg_advisory_unlock(hashtextextended($1, 0))', [this.#name]).catch(() => undefined);
      }
    } finally {
      await runner.release();
    }
  }
}
