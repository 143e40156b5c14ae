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

interface PgResult {
  command: string;
  rows: unknown[];
  rowCount: number | null;
}

interface PgClient {
  query(sql: string, params?: readonly unknown[]): Promise<PgResult>;
  emit(event: 'error', error: unknown): boolean;
}

/** {@link Tx} on a TypeORM query runner; statements go straight to the driver, past TypeORM's event machinery. */
export class RunningTransaction implements Tx {
  /** Does not wait for the answer to BEGIN: it travels together with the first statement. */
  static async begin(database: Database, runner: QueryRunner): Promise<RunningTransaction> {
    const client = (await runner.connect()) as PgClient;
    mark(runner, true);
    return new RunningTransaction(database, runner, client, client.query('begin'));
  }

  readonly hooks: (() => void)[] = [];
  readonly database: Database;
  readonly #runner: QueryRunner;
  readonly #client: PgClient;
  readonly #begun: Promise<PgResult>;
  #over = false;

  private constructor(database: Database, runner: QueryRunner, client: PgClient, begun: Promise<PgResult>) {
    this.database = database;
    this.#runner = runner;
    this.#client = client;
    this.#begun = begun;
    // Looked at in commit; fails only with the connection, as every statement then does.
    begun.catch(() => undefined);
  }

  get manager(): EntityManager {
    return this.#runner.manager;
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

  async commit(): Promise<void> {
    this.#over = true;
    await this.#begun;
    const { command } = await this.#client.query('commit');
    mark(this.#runner, false);
    if (command === 'COMMIT') return;
    throw new Error(
      'the transaction was rolled back: one of its statements failed and the error was swallowed. ' +
        'Let the error through, or put the statement into a savepoint.',
    );
  }

  async rollback(): Promise<void> {
    this.#over = true;
    if (this.#runner.isTransactionActive) {
      // A rollback fails with its connection alone, and the server then rolls back by itself. TypeORM takes the event
      // as a reason to throw the connection away; given back to the pool, the next who asks might get it.
      await this.#client.query('rollback').catch((error: unknown) => this.#client.emit('error', error));
    }
    mark(this.#runner, false);
  }

  #run(sql: string, params?: readonly unknown[]): Promise<PgResult> {
    if (this.#over) {
      throw new Error(
        'this transaction is over: a statement was started after its work had ended or timed out. ' +
          'Await every statement inside of the work.',
      );
    }
    return this.#client.query(sql, params);
  }
}

/** Tells TypeORM, so that a transaction begun on `tx.manager` becomes a savepoint of this one. */
function mark(runner: QueryRunner, active: boolean): void {
  const state = runner as unknown as { isTransactionActive: boolean; transactionDepth: number };
  state.isTransactionActive = active;
  state.transactionDepth = active ? 1 : 0;
}
