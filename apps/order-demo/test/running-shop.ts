import { testDatabase, type TestDatabase, testVhost, type TestVhost } from '@keelson/testing';
import type { Role } from '../src/settings/roles.ts';
import { type RoleProcess, startRole, tokensFile } from './role-process.ts';
import { Shop } from './shop.ts';

type Env = Record<string, string>;

/** The whole shop in one process, on a database and a virtual host of its own, and a client of it. */
export class RunningShop extends Shop {
  readonly service: RoleProcess;
  readonly #parts: Parts;

  private constructor(service: RoleProcess, parts: Parts) {
    super(service.url);
    this.service = service;
    this.#parts = parts;
  }

  /** `env`: what is set otherwise than by default. `close` in afterAll. */
  static async open(env: Env | ((vhost: TestVhost) => Env) = {}): Promise<RunningShop> {
    const [database, vhost] = await Promise.all([testDatabase(), testVhost()]);
    const parts = { database, vhost, tokens: tokensFile() };
    try {
      return new RunningShop(await startOn(parts, 'all', typeof env === 'function' ? env(vhost) : env), parts);
    } catch (error) {
      await remove(parts);
      throw error;
    }
  }

  get database(): TestDatabase {
    return this.#parts.database;
  }

  get vhost(): TestVhost {
    return this.#parts.vhost;
  }

  /** One more process on the same parts; whoever starts it ends it. */
  start(role: Role, env: Env = {}): Promise<RoleProcess> {
    return startOn(this.#parts, role, env);
  }

  async close(): Promise<void> {
    await this.service.stop();
    await remove(this.#parts);
  }
}

interface Parts {
  database: TestDatabase;
  vhost: TestVhost;
  tokens: ReturnType<typeof tokensFile>;
}

const startOn = ({ database, vhost, tokens }: Parts, role: Role | 'all', env: Env): Promise<RoleProcess> =>
  startRole({ role, databaseUrl: database.url, amqpUrl: vhost.amqpUrl, tokens: tokens.path, env });

async function remove({ database, vhost, tokens }: Parts): Promise<void> {
  await Promise.all([database.drop(), vhost.delete()]);
  tokens.remove();
}
