import { DataSource, type EntitySchema } from 'typeorm';
import { setTimeout as pause } from 'node:timers/promises';
import {
  DatabaseAccessError,
  DatabaseUnavailableError,
  isAccessRefusal,
  isConnectionLoss,
  isTransient,
} from './failures.ts';
import { stderrLog, type Log } from './log.ts';
import { migrate, type MigrationClass } from './migrations.ts';
import { RunningTransaction, type Tx } from './transaction.ts';

export interface DatabaseOptions {
  /** `postgres://role:password@host:port/database` */
  url: string;
  /** Shown by the server as application_name and in our own messages: the service's name. */
  name: string;
  migrations: readonly MigrationClass[];
  entities?: (new () => object)[] | EntitySchema[];
  /** Connections kept at most. Default 10. */
  poolSize?: number;
  /** A statement that runs longer is cancelled by the server. Default 30,000. */
  statementTimeoutMs?: number;
  /** How long to wait for the server at start. Default 60,000. */
  waitMs?: number;
  log?: Log;
}

/** A PostgreSQL database of one service: its pool, its schema, its transactions. */
export class Database {
  /**
   * Connects and migrates. While the server cannot be reached it tries again for `waitMs`, saying why.
   * Throws DatabaseUnavailableError after that, DatabaseAccessError at once when the server refuses the role, the
   * password or the database, and NewerSchemaError when the schema is too new for this program.
   */
  static async open(options: DatabaseOptions): Promise<Database> {
    const log = options.log ?? stderrLog;
    const dataSource = new DataSource({
      type: 'postgres',
      url: options.url,
      applicationName: options.name,
      poolSize: options.poolSize ?? 10,
      entities: (options.entities ?? []) as EntitySchema[],
      migrations: [...options.migrations],
      migrationsTableName: 'migrations',
      migrationsRun: false,
      synchronize: false,
      logging: false,
      connectTimeoutMS: 5_000,
      installExtensions: false,
      poolErrorHandler: (error: Error) =>
        log.warn({ database: where(options.url), error: error.message }, 'idle connection lost'),
      extra: {
        keepAlive: true,
        // Statements started together travel together, so that BEGIN costs no round trip of its own.
        pipeline: true,
        statement_timeout: options.statementTimeoutMs ?? 30_000,
        // A transaction whose process hangs must not hold its locks for ever.
        idle_in_transaction_session_timeout: 60_000,
      },
    });
    await connect(dataSource, options, log);
    const database = new Database(options, dataSource, log);
    try {
      await migrate(dataSource, options.migrations, log);
    } catch (error) {
      await dataSource.destroy();
      throw error;
    }
    return database;
  }

  readonly name: string;
  readonly url: string;
  readonly dataSource: DataSource;
  readonly #log: Log;

  private constructor(options: DatabaseOptions, dataSource: DataSource, log: Log) {
    this.name = options.name;
    this.url = options.url;
    this.dataSource = dataSource;
    this.#log = log;
  }

  /**
   * Runs the work in one transaction: committed when it resolves, rolled back when it rejects. Serialisation failures
   * and deadlocks are run again (three times in all), so the work must have no effects but those on `tx`. Work that
   * swallowed the error of a statement rejects too: PostgreSQL rolls such a transaction back whatever one asks for.
   */
  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(work);
      } catch (error) {
        if (attempt >= 3 || !isTransient(error)) throw error;
        await pause(Math.random() * 20 * attempt);
      }
    }
  }

  /** Runs one statement outside of any transaction and returns its rows. */
  async query<T>(sql: string, params?: readonly unknown[]): Promise<T[]> {
    return (await this.#pool.query(sql, params)).rows as T[];
  }

  /** Runs one statement outside of any transaction and returns how many rows it changed. */
  async execute(sql: string, params?: readonly unknown[]): Promise<number> {
    return (await this.#pool.query(sql, params)).rowCount ?? 0;
  }

  /** Resolves when the server answers; for readiness. */
  async ping(): Promise<void> {
    await this.query('select 1');
  }

  /** Waits for nothing: end your work first. */
  async close(): Promise<void> {
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  get #pool(): {
    query(sql: string, params?: readonly unknown[]): Promise<{ rows: unknown[]; rowCount: number | null }>;
  } {
    return (this.dataSource.driver as unknown as { master: never }).master;
  }

  async #once<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const transaction = await RunningTransaction.begin(this, runner);
      let result: T;
      try {
        result = await work(transaction);
        await transaction.commit();
      } catch (error) {
        await transaction.rollback();
        throw error;
      }
      this.#runHooks(transaction.hooks);
      return result;
    } finally {
      await runner.release();
    }
  }

  #runHooks(hooks: readonly (() => void)[]): void {
    for (const hook of hooks) {
      try {
        hook();
      } catch (error) {
        this.#log.error({ error: String(error) }, 'a hook after commit failed; the transaction stands');
      }
    }
  }
}

async function connect(dataSource: DataSource, options: DatabaseOptions, log: Log): Promise<void> {
  const deadline = performance.now() + (options.waitMs ?? 60_000);
  for (let attempt = 0; ; attempt += 1) {
    try {
      await dataSource.initialize();
      return;
    } catch (error) {
      // Of several addresses refused, Node's error has a code and no message.
      const { message, code } = error as { message?: string; code?: string };
      const reason = message || code || String(error);
      if (isAccessRefusal(error)) {
        throw new DatabaseAccessError(
          `PostgreSQL at ${where(options.url)} refuses ${options.name}: ${reason}. Check DATABASE_URL.`,
          { cause: error },
        );
      }
      if (!isConnectionLoss(error)) throw error;
      if (performance.now() > deadline) {
        throw new DatabaseUnavailableError(`PostgreSQL at ${where(options.url)} cannot be reached: ${reason}`, {
          cause: error,
        });
      }
      if (attempt % 10 === 0) log.warn({ database: where(options.url), reason }, 'waiting for PostgreSQL');
      await pause(Math.min(2_000, 100 * 2 ** Math.min(attempt, 5)) * (0.5 + Math.random() / 2));
    }
  }
}

/** Host, port, database and role of a URL; never the password. */
function where(url: string): string {
  const { username, host, pathname } = new URL(url);
  return `${username}@${host}${pathname}`;
}
