import { Database, type Log } from '@keelson/persistence';
import { testDatabase, testVhost } from '@keelson/testing';
import {
  inboxMigrations,
  Messaging,
  outboxMigrations,
  scheduleMigrations,
  streamMigrations,
  type MessagingOptions,
} from '../src/index.ts';
import { catalogue } from './messages.ts';

export interface LogLine {
  level: string;
  message: string;
  [field: string]: unknown;
}

/** Keeps what a program under test logs. */
export function memoryLog(): Log & { lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, message, ...fields });
  return { lines, info: at('info'), warn: at('warn'), error: at('error') };
}

/** What one spec file shares: a virtual host, a database, and everything it opened, closed in the end. */
export class Workbench {
  readonly #closers: (() => Promise<unknown>)[] = [];
  readonly vhost: Awaited<ReturnType<typeof testVhost>>;
  readonly databaseUrl: string;

  private constructor(vhost: Awaited<ReturnType<typeof testVhost>>, databaseUrl: string) {
    this.vhost = vhost;
    this.databaseUrl = databaseUrl;
  }

  static async open(): Promise<Workbench> {
    const [vhost, database] = await Promise.all([testVhost(), testDatabase()]);
    const bench = new Workbench(vhost, database.url);
    bench.#closers.push(
      () => vhost.delete(),
      () => database.drop(),
    );
    return bench;
  }

  async database(name = 'test', log: Log = memoryLog()): Promise<Database> {
    const database = await Database.open({
      url: this.databaseUrl,
      name,
      migrations: [...outboxMigrations, ...inboxMigrations, ...scheduleMigrations, ...streamMigrations],
      log,
    });
    this.#closers.unshift(() => database.close());
    return database;
  }

  async messaging(options: Partial<MessagingOptions> = {}): Promise<Messaging> {
    const messaging = await Messaging.connect({
      url: this.vhost.amqpUrl,
      service: 'test',
      catalogue,
      log: memoryLog(),
      ...options,
    });
    this.#closers.unshift(() => messaging.close(1_000));
    return messaging;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
  }
}

/** Collects what a handler is given. */
export const collector = <T>(): { seen: T[]; add: (item: T) => void } => {
  const seen: T[] = [];
  return { seen, add: (item) => void seen.push(item) };
};
