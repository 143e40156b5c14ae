import { Database } from '@keelson/persistence';
import { eventually, testPostgres, testRabbitMq, type Postgres, type RabbitMq } from '@keelson/testing';
import { spawn, type ChildProcess } from 'node:child_process';
import { inboxMigrations, Messaging, outbox, outboxAll, outboxMigrations } from '../src/index.ts';
import { catalogue, orderPlaced } from './messages.ts';
import { memoryLog } from './service.ts';

const numbers = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

describe('an outbox whose parts fail', () => {
  let broker: RabbitMq;
  let server: Postgres;
  let url: string;
  let database: Database;
  const open: Messaging[] = [];
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    [broker, server] = await Promise.all([testRabbitMq(), testPostgres()]);
    url = await server.createDatabase({ name: 'outbox' });
    database = await Database.open({
      url,
      name: 'test',
      migrations: [...outboxMigrations, ...inboxMigrations],
      log: memoryLog(),
    });
    await database.execute('create table effect (amount int)');
  });
  beforeEach(() => database.execute('truncate outbox, outbox_deferred, inbox, effect'));
  afterEach(async () => {
    await Promise.all(open.splice(0).map((messaging) => messaging.close(500)));
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });
  afterAll(async () => {
    await database.close();
    await Promise.all([broker.stop(), server.stop()]);
  });

  const connect = async (exchange: string) => {
    const messaging = await Messaging.connect({
      url: broker.amqpUrl,
      service: 'test',
      catalogue,
      database,
      exchange,
      log: memoryLog(),
    });
    open.push(messaging);
    await messaging.subscribe({
      queue: `faults.${exchange}`,
      messages: [orderPlaced],
      handler: async (message, { tx }) =>
        void (await tx?.execute('insert into effect values ($1)', [message.payload.amount])),
    });
    return messaging;
  };
  const write = async (from: number, count: number) => {
    for (const amount of numbers(from, count)) {
      await database.transaction((tx) =>
        outbox(tx, orderPlaced, { orderId: 'o', amount }, { aggregate: `${amount % 7}` }),
      );
    }
  };
  const effects = async () =>
    (await database.query<{ amount: number }>('select amount from effect order by amount')).map((row) => row.amount);
  const complete = (count: number) => eventually(async () => (await effects()).length >= count, { withinMs: 90_000 });

  test('takes what is written while the broker is away, and brings all of it afterwards, once', async () => {
    const messaging = await connect('broker');
    await messaging.startOutboxRelay();
    await write(0, 20);
    await broker.queuesKept();
    broker.kill('SIGKILL');
    await write(20, 60);
    expect((await database.query('select 1 from outbox limit 1')).length).toBe(1);
    await broker.restart();
    await complete(80);
    await messaging.settled();
    expect(await effects()).toEqual(numbers(0, 80));
  });

  test('goes on after its database was killed and restarted, with the effects there once', async () => {
    const messaging = await connect('database');
    await messaging.startOutboxRelay();
    await write(0, 100);
    server.kill('SIGKILL');
    await server.restart();
    await eventually(() => database.ping().then(() => true));
    // What was acknowledged to the writer before the kill may be gone on a server without durability, which tests use.
    // What was handled and not yet deleted stands in both tables.
    const [{ written }] = (await database.query<{ written: number }>(
      `select count(*)::int as written from (
         select amount from effect union select (body::jsonb ->> 'amount')::int from outbox) as known`,
    )) as [{ written: number }];
    await write(1_000, 20);
    await complete(written + 20);
    await messaging.settled();
    const seen = await effects();
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(numbers(1_000, 20)));
    expect(messaging.health().healthy).toBe(true);
  });

  test('loses and doubles nothing when its relay is killed with SIGKILL again and again', async () => {
    const messaging = await connect('relay');
    const rows = 3_000;
    await database.transaction((tx) =>
      outboxAll(
        tx,
        numbers(0, rows).map((amount) => ({
          definition: orderPlaced,
          payload: { orderId: 'o', amount },
          aggregate: `${amount % 500}`,
        })),
      ),
    );
    const relay = (): ChildProcess => {
      const child = spawn(
        process.execPath,
        ['--import', './test/typescript.mjs', '--conditions=keelson-source', './test/killed-relay.ts'],
        {
          cwd: new URL('..', import.meta.url),
          env: { PATH: process.env['PATH'], AMQP_URL: broker.amqpUrl, DATABASE_URL: url, EXCHANGE: 'relay' },
          stdio: ['ignore', 'ignore', 'inherit'],
        },
      );
      children.push(child);
      return child;
    };
    // Deleting takes a while, so that the kill falls between the confirms and the commit.
    await database.execute(
      "create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(1); return null; end'",
    );
    await database.execute('create trigger slow before delete on outbox for each statement execute function slow()');
    for (let kill = 0; kill < 4; kill += 1) {
      const child = relay();
      await eventually(
        async () =>
          (
            await database.query(
              "select 1 from pg_stat_activity where query like 'delete from outbox%' and state = 'active'",
            )
          ).length > 0,
        { withinMs: 90_000 },
      );
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
    }
    await database.execute('drop trigger slow on outbox');
    const left = async () => (await database.query<{ n: number }>('select count(*)::int as n from outbox'))[0]?.n;
    // At least the first batch was published and not deleted.
    expect(await left()).toBeGreaterThan(rows - 4 * 300);
    relay();
    await eventually(async () => (await left()) === 0, { withinMs: 90_000 });
    await complete(rows);
    await messaging.settled();
    expect(await effects()).toEqual(numbers(0, rows));
  });
});
