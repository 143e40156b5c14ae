import {
  eventually,
  tcpProxy,
  testDatabase,
  testPostgres,
  type Postgres,
  type TcpProxy,
  type TestDatabase,
} from '@keelson/testing';
import type { Pool } from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import {
  AdvisoryLock,
  Database,
  DatabaseAccessError,
  DatabaseUnavailableError,
  isConnectionLoss,
  NewerSchemaError,
  type DatabaseOptions,
} from '../src/index.ts';

class Accounts1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create table account (id int primary key, balance int not null)');
    await runner.query('insert into account values (1, 100), (2, 100)');
  }
  async down(): Promise<void> {}
}

class Breaking1800000000000 implements MigrationInterface {
  static readonly breaking = true;
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table account rename balance to cents');
  }
  async down(): Promise<void> {}
}

class Additive1800000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table account add note text');
  }
  async down(): Promise<void> {}
}

/** Takes longer than a statement of the service may. */
class Slow1800000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('select pg_sleep(2)');
  }
  async down(): Promise<void> {}
}

const lines = () => {
  const seen: string[] = [];
  const note = (fields: object, message: string) => void seen.push(`${message} ${JSON.stringify(fields)}`);
  return { seen, log: { info: note, warn: note, error: note } };
};

describe('a database', () => {
  let place: TestDatabase;
  const open = (options: Partial<DatabaseOptions> = {}) =>
    Database.open({ url: place.url, name: 'test', migrations: [Accounts1700000000000], ...lines(), ...options });

  beforeEach(async () => (place = await testDatabase()));
  afterEach(() => place.drop());

  test('is migrated once, however many replicas start at the same time', async () => {
    const replicas = await Promise.all([open(), open(), open(), open()]);
    const [first] = replicas;
    expect(await first?.query('select count(*)::int as n from account')).toEqual([{ n: 2 }]);
    await Promise.all(replicas.map((replica) => replica.close()));
  });

  test('is migrated by one replica for as long as it takes, while the others wait and one says so', async () => {
    const { seen, log } = lines();
    const options = {
      migrations: [Accounts1700000000000, Slow1800000000002],
      statementTimeoutMs: 500,
      poolSize: 1,
      log,
    };
    const replicas = await Promise.all([open(options), open(options)]);
    expect(seen.filter((line) => line.startsWith('schema migrated'))).toHaveLength(1);
    expect(seen).toContainEqual(expect.stringContaining('another process migrates this database'));
    await expect(replicas[0].query('select pg_sleep(5)')).rejects.toThrow(/statement timeout/);
    await Promise.all(replicas.map((replica) => replica.close()));
  });

  test('migrated by a newer release is accepted by the older one, unless a migration is marked breaking', async () => {
    await (await open({ migrations: [Accounts1700000000000, Additive1800000000001] })).close();
    await (await open()).close();
    await (await open({ migrations: [Accounts1700000000000, Additive1800000000001, Breaking1800000000000] })).close();
    await expect(open()).rejects.toThrow(NewerSchemaError);
    await expect(open()).rejects.toThrow(/holds Breaking1800000000000, which this program does not know/);
  });

  test('commits what a transaction did, and rolls back all of it when the work throws', async () => {
    const database = await open();
    await database.transaction((tx) => tx.execute('update account set balance = balance - 10 where id = 1'));
    const failing = database.transaction(async (tx) => {
      await tx.execute('update account set balance = 0');
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await database.query('select balance from account order by id')).toEqual([
      { balance: 90 },
      { balance: 100 },
    ]);
    await database.close();
  });

  test('runs a transaction again after a serialisation failure or a deadlock', async () => {
    const database = await open();
    let runs = 0;
    const transfer = (from: number, to: number, meet: () => Promise<void>) =>
      database.transaction(async (tx) => {
        runs += 1;
        await tx.execute('update account set balance = balance - 1 where id = $1', [from]);
        if (runs <= 2) await meet();
        await tx.execute('update account set balance = balance + 1 where id = $1', [to]);
      });
    let arrived = 0;
    let release: () => void = () => undefined;
    const both = new Promise<void>((resolve) => (release = resolve));
    const meet = async () => {
      if ((arrived += 1) === 2) release();
      await both;
    };
    await Promise.all([transfer(1, 2, meet), transfer(2, 1, meet)]);
    expect(runs).toBe(3);
    expect(await database.query('select balance from account')).toEqual([{ balance: 100 }, { balance: 100 }]);
    await database.close();
  });

  test('rejects when the work swallowed a failed statement, instead of pretending to have committed', async () => {
    const database = await open();
    const swallowing = database.transaction(async (tx) => {
      await tx.execute('update account set balance = 0');
      await tx.query('select no_such_column from account').catch(() => undefined);
    });
    await expect(swallowing).rejects.toThrow(/rolled back: one of its statements failed/);
    expect(await database.query('select distinct balance from account')).toEqual([{ balance: 100 }]);
    await database.close();
  });

  test('makes a savepoint of a transaction begun on the TypeORM manager', async () => {
    const database = await open();
    await database.transaction(async (tx) => {
      await tx.execute('update account set balance = 1 where id = 1');
      const inner = tx.manager.transaction(async (manager) => {
        await manager.query('update account set balance = 2 where id = 2');
        throw new Error('inner');
      });
      await inner.catch(() => undefined);
    });
    expect(await database.query('select balance from account order by id')).toEqual([{ balance: 1 }, { balance: 100 }]);
    await database.close();
  });

  test('calls hooks after the commit only, and refuses statements of a transaction that is over', async () => {
    const database = await open();
    const seen: string[] = [];
    await database
      .transaction(async (tx) => {
        tx.afterCommit(() => seen.push('never'));
        throw new Error('no');
      })
      .catch(() => undefined);
    const late = await database.transaction(async (tx) => {
      tx.afterCommit(() => seen.push('committed'));
      return tx;
    });
    expect(seen).toEqual(['committed']);
    await expect(late.query('select 1')).rejects.toThrow(/this transaction is over/);
    await database.close();
  });

  test('shares its transaction with the TypeORM manager', async () => {
    const database = await open();
    await database
      .transaction(async (tx) => {
        await tx.manager.query('update account set balance = 1 where id = 1');
        expect(await tx.query('select balance from account where id = 1')).toEqual([{ balance: 1 }]);
        throw new Error('roll back');
      })
      .catch(() => undefined);
    expect(await database.query('select balance from account where id = 1')).toEqual([{ balance: 100 }]);
    await database.close();
  });

  test('with a wrong password or name is a clear error at once, without the password in it', async () => {
    const url = new URL(place.url);
    url.password = 'secret-guess';
    const attempt = open({ url: url.href });
    await expect(attempt).rejects.toThrow(DatabaseAccessError);
    await expect(attempt).rejects.toThrow(/refuses test: .*Check DATABASE_URL/);
    await expect(attempt).rejects.not.toThrow(/secret-guess/);
    url.password = new URL(place.url).password;
    url.pathname = '/no-such-database';
    await expect(open({ url: url.href })).rejects.toThrow(DatabaseAccessError);
  });

  test('whose server ends a connection between two statements of its holder does not end the process', async () => {
    const database = await open();
    const { master: pool } = database.dataSource.driver as unknown as { master: Pool };
    const held = await pool.connect();
    const [{ pid }] = (await held.query<{ pid: number }>('select pg_backend_pid() as pid')).rows as [{ pid: number }];
    await database.query('select pg_terminate_backend($1)', [pid]);
    await eventually(() =>
      held.query('select 1').then(
        () => false,
        () => true,
      ),
    );
    held.release(true);
    expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('an advisory lock is held by one process at a time', async () => {
    const database = await open();
    const lock = new AdvisoryLock(database, 'job');
    const inner = await lock.tryRun(() => new AdvisoryLock(database, 'job').tryRun(async () => 1));
    expect(inner).toEqual({ held: true, result: { held: false } });
    expect(await lock.tryRun(async () => 2)).toEqual({ held: true, result: 2 });
    await database.close();
  });

  test('a holder whose connection ends is told, cannot write through it, and blocks nobody', async () => {
    const database = await open();
    const lock = new AdvisoryLock(database, 'job');
    await lock.tryRun(async (session) => {
      const [row] = await session.query<{ pid: number }>('select pg_backend_pid() as pid');
      expect(session.lost.aborted).toBe(false);
      await database.query('select pg_terminate_backend($1)', [row!.pid]);
      await eventually(() => session.lost.aborted);
      await expect(session.query('select 1')).rejects.toThrow(/connection|not queryable/i);
      expect(await new AdvisoryLock(database, 'job').tryRun(async () => 1)).toEqual({ held: true, result: 1 });
    });
    expect(await lock.tryRun(async () => 2)).toEqual({ held: true, result: 2 });
    await database.close();
  });
});

/** Holds up the event loop. */
function busy(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('a network that hangs', () => {
  let place: TestDatabase;
  let proxy: TcpProxy;
  let database: Database;
  beforeAll(async () => {
    place = await testDatabase();
    proxy = await tcpProxy(place.url);
    database = await Database.open({
      url: proxy.url(place.url),
      name: 'test',
      migrations: [Accounts1700000000000],
      statementTimeoutMs: 500,
      ...lines(),
    });
  });
  afterEach(() => proxy.resume());
  afterAll(async () => {
    await proxy.close();
    await place.drop();
  });

  test('fails a statement and a transaction as a lost connection, in bounded time, and all works again after', async () => {
    await Promise.all([database.ping(), database.ping(), database.ping()]);
    proxy.hang();
    const failures = await Promise.all([
      database.query('select 1').catch((error: unknown) => error),
      database.transaction((tx) => tx.query('select 1')).catch((error: unknown) => error),
      database
        .transaction(async () => {
          throw new Error('its work fails by itself');
        })
        .catch((error: unknown) => error),
    ]);
    expect(failures.slice(0, 2).map(isConnectionLoss)).toEqual([true, true]);
    expect(String(failures[2])).toContain('its work fails by itself');
    proxy.resume();
    await database.ping();
    expect(await database.transaction((tx) => tx.query('select 1 as one'))).toEqual([{ one: 1 }]);
  });

  test('leaves no dead connection in the pool, also of a program too busy to hear of its end in time', async () => {
    await database.ping();
    proxy.hang();
    // The time of BEGIN and that of ROLLBACK are up by then: both are dealt with in one turn of the event loop.
    setTimeout(() => busy(600), 5_200);
    const failure = await database
      .transaction(async () => {
        throw new Error('its work fails by itself');
      })
      .catch((error: unknown) => error);
    expect(String(failure)).toContain('its work fails by itself');
    proxy.resume();
    await database.ping();
  });

  test('holds up no close: nothing stays open', async () => {
    const other = await Database.open({ url: proxy.url(place.url), name: 'other', migrations: [], ...lines() });
    await database.close();
    await eventually(() => proxy.connections === 1);
    proxy.hang();
    const under = other.transaction((tx) => tx.query('select 1')).catch((error: unknown) => error);
    await other.close();
    expect(isConnectionLoss(await under)).toBe(true);
    await eventually(() => proxy.connections === 0);
  });
});

describe('a server that is away', () => {
  let server: Postgres;
  beforeAll(async () => (server = await testPostgres()));
  afterAll(() => server.stop());

  test('at start is waited for, with a line that says so, and given up after the time allowed', async () => {
    const url = await server.createDatabase({ name: 'waiting' });
    server.kill('SIGKILL');
    const { seen, log } = lines();
    const options = { url, name: 'test', migrations: [Accounts1700000000000], log };
    await expect(Database.open({ ...options, waitMs: 300 })).rejects.toThrow(DatabaseUnavailableError);
    const opening = Database.open(options);
    await eventually(() =>
      seen.some((line) => line.startsWith('waiting for PostgreSQL') && !line.includes('keelson:')),
    );
    await server.restart();
    const database = await opening;
    await database.ping();
    await database.close();
  });

  test('during work fails what is under way as a lost connection, and serves again after its restart', async () => {
    const url = await server.createDatabase({ name: 'working' });
    const { log } = lines();
    const database = await Database.open({ url, name: 'test', migrations: [Accounts1700000000000], log });
    const sleeping = database.transaction((tx) => tx.query('select pg_sleep(30)')).catch((error: unknown) => error);
    await eventually(
      async () =>
        (
          await database.query(
            "select 1 from pg_stat_activity where query like '%pg_sleep(30)%' and pid <> pg_backend_pid()",
          )
        ).length === 1,
    );
    server.kill('SIGKILL');
    expect(isConnectionLoss(await sleeping)).toBe(true);
    await server.restart();
    await eventually(() => database.ping().then(() => true));
    await database.close();
  });
});
