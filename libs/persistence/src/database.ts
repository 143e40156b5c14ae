import { DataSource, type EntitySchema } from 'typeorm';
import { Socket } from 'node:net';
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
import { PoolClient } from './pool-client.ts';
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

/** An answer that the network swallowed is waited for so much longer than the server may work on it. */
const ANSWER_MS = 5_000;
/** A close that takes longer is ended by cutting what is still open. */
const CLOSE_MS = 5_000;

/** A PostgreSQL database of one service: its pool, its schema, its transactions. */
export class Database {
  /**
   * Connects and migrates. While the server cannot be reached it tries again for `waitMs`, saying why.
   * Throws DatabaseUnavailableError after that, DatabaseAccessError at once when the server refuses the role, the
   * password or the database, and NewerSchemaError when the schema is too new for this program.
   */
  static async open(options: DatabaseOptions): Promise<Database> {
    const log = options.log ?? stderrLog;
    await prepareSchema(options, log);
    const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
    const sockets = new Set<Socket>();
    const dataSource = new DataSource({
      ...common(options, log),
      poolSize: options.poolSize ?? 10,
      entities: (options.entities ?? []) as EntitySchema[],
      extra: {
        Client: PoolClient,
        keepAlive: true,
        // Statements started together travel together, so that BEGIN costs no round trip of its own.
        pipeline: true,
        statement_timeout: statementTimeoutMs,
        // A network that hangs tells nobody: without this, a statement would wait for minutes, until TCP gives up.
        query_timeout: statementTimeoutMs + ANSWER_MS,
        // A transaction whose process hangs must not hold its locks for ever.
        idle_in_transaction_session_timeout: 60_000,
        stream: () => {
          const socket = new Socket();
          sockets.add(socket);
          socket.once('close', () => sockets.delete(socket));
          return socket;
        },
      },
    });
    await connect(dataSource, options, log);
    return new Database(options, dataSource, sockets, log);
  }

  readonly name: string;
  readonly url: string;
  readonly dataSource: DataSource;
  readonly #sockets: ReadonlySet<Socket>;
  readonly #log: Log;

  private constructor(options: DatabaseOptions, dataSource: DataSource, sockets: ReadonlySet<Socket>, log: Log) {
    this.name = options.name;
    this.url = options.url;
    this.dataSource = dataSource;
    this.#sockets = sockets;
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

  /** End your work first: what is still under way after five seconds is cut off. */
  async close(): Promise<void> {
    if (!this.dataSource.isInitialized) return;
    const tooLong = new AbortController();
    const closed = this.dataSource.destroy().finally(() => tooLong.abort());
    // Rejects when the close comes first.
    await pause(CLOSE_MS, undefined, { signal: tooLong.signal }).catch(() => undefined);
    // A server that does not answer the goodbye would keep the process alive.
    for (const socket of this.#sockets) socket.destroy();
    await closed;
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

/** What both data sources of a database have in common. */
const common = (options: DatabaseOptions, log: Log) =>
  ({
    type: 'postgres',
    url: options.url,
    applicationName: options.name,
    migrationsRun: false,
    synchronize: false,
    logging: false,
    connectTimeoutMS: 5_000,
    installExtensions: false,
    poolErrorHandler: (error: Error) =>
      log.warn({ database: where(options.url), error: error.message }, 'idle connection lost'),
  }) as const;

/** On a connection of its own, which has no time limits: a migration may take longer than any statement of the service. */
async function prepareSchema(options: DatabaseOptions, log: Log): Promise<void> {
  const dataSource = new DataSource({
    ...common(options, log),
    poolSize: 1,
    migrations: [...options.migrations],
    migrationsTableName: 'migrations',
    extra: { Client: PoolClient, keepAlive: true },
  });
  await connect(dataSource, options, log);
  try {
    await migrate(dataSource, options.migrations, log);
  } finally {
    await dataSource.destroy();
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
