import type { EntityManager, QueryRunner } from 'typeorm';
import type { Database } from './database.ts';

/** One open transaction. It is void once the work that received it has ended: later statements are refused. */
export interface Tx {
  /** Runs one statement and returns its rows (also those of `returning`). */
  query<T>(sql: string, params?: readonly unknown[]): Promise<T[]>;
  /** Runs one statement and returns how many rows it changed. */
  execute(sql: string, params?: readonly unknown[]): Promise<number>;
  /** TypeORM's view of the same transaction. */
  readonly manager: EntityManager;
  /** Called after a successful commit, in order; what it throws is logged, never thrown to the caller. */
  afterCommit(run: () => void): void;
  readonly database: Database;
}

interface PgClient {
  query(sql: string, params?: readonly unknown[]): Promise<{ rows: unknown[]; rowCount: number | null }>;
}

/** {@link Tx} on a TypeORM query runner; statements go straight to the driver, past TypeORM's event machinery. */
export class RunningTransaction implements Tx {
  readonly hooks: (() => void)[] = [];
  readonly manager: EntityManager;
  #over = false;

  readonly database: Database;
  readonly #client: PgClient;

  constructor(database: Database, runner: QueryRunner, client: unknown) {
    this.database = database;
    this.manager = runner.manager;
    this.#client = client as PgClient;
  }

  async query<T>(sql: string, params?: readonly unknown[]): Promise<T[]> {
    return (await this.#run(sql, params)).rows as T[];
  }

  async execute(sql: string, params?: readonly unknown[]): Promise<number> {
    return (await this.#run(sql, params)).rowCount ?? 0;
  }

  afterCommit(run: () => void): void {
    this.hooks.push(run);
  }

  /** From here on every statement is refused: the connection belongs to somebody else. */
  end(): void {
    this.#over = true;
  }

  #run(sql: string, params?: readonly unknown[]): Promise<{ rows: unknown[]; rowCount: number | null }> {
    if (this.#over) {
      throw new Error(
        'this transaction is over: a statement was started after its work had ended or timed out. ' +
          'Await every statement inside of the work.',
      );
    }
    return this.#client.query(sql, params);
  }
}
