import { eventually, freePort } from '@keelson/testing';
import type { Database } from '@keelson/persistence';
import { spawn, type ChildProcess } from 'node:child_process';
import { outbox, parkingLot, type Messaging } from '../src/index.ts';
import { cleanInbox } from '../src/consume/inbox-cleaner.ts';
import { Effects } from './effects.ts';
import { orderPlaced, orderShipped } from './messages.ts';
import { Workbench } from './service.ts';

const payload = { orderId: 'o', amount: 1 };
const quick = { quickDelaysMs: [], firstDelayMs: 100, maxDelayMs: 1_000 };

describe('a subscription with an inbox', () => {
  let bench: Workbench;
  let database: Database;
  let recorded: Effects;
  let messaging: Messaging;
  let serial = 0;
  beforeAll(async () => {
    bench = await Workbench.open();
    database = await bench.database();
    recorded = await Effects.in(database);
  });
  beforeEach(async () => {
    await recorded.forget();
    messaging = await bench.messaging({ database, exchange: `inbox-${(serial += 1)}` });
  });
  afterEach(() => messaging.close(500));
  afterAll(() => bench.close());

  const effects = () => recorded.ids();
  const subscribe = (queue: string, before: (attempt: number) => void = () => undefined) =>
    messaging.subscribe({
      queue,
      messages: [orderPlaced],
      retry: quick,
      handler: async (message, { tx, attempt }) => {
        await tx?.execute('insert into effect (message_id) values ($1)', [message.id]);
        before(attempt);
      },
    });

  test('has the effects of a message once, however often it is published, also at the same time', async () => {
    await subscribe('inbox.doubles');
    await Promise.all(Array.from({ length: 20 }, () => messaging.publish(orderPlaced, payload, { id: 'one' })));
    await messaging.publish(orderPlaced, payload, { id: 'two' });
    await messaging.settled();
    expect((await effects()).sort()).toEqual(['one', 'two']);
  });

  test('gives the message to each of several consumers once', async () => {
    await subscribe('inbox.first');
    await subscribe('inbox.second');
    await messaging.publish(orderPlaced, payload, { id: 'shared' });
    await messaging.settled();
    expect(await effects()).toEqual(['shared', 'shared']);
  });

  test('keeps nothing of a failed attempt', async () => {
    await subscribe('inbox.failing', (attempt) => {
      if (attempt < 3) throw new Error('after the insert');
    });
    await messaging.publish(orderPlaced, payload, { id: 'third-time' });
    await eventually(async () => (await effects()).length > 0);
    await messaging.settled();
    expect(await effects()).toEqual(['third-time']);
  });

  test('parks a message whose handler cannot reach something else: a refused connection need not be the database', async () => {
    const nobody = await freePort();
    await messaging.subscribe({
      queue: 'inbox.dependency',
      messages: [orderPlaced],
      retry: { ...quick, attempts: 2 },
      handler: async () => void (await fetch(`http://127.0.0.1:${nobody}/charge`)),
    });
    await messaging.publish(orderPlaced, payload, { id: 'unpaid' });
    const parked = await eventually(async () => (await parkingLot.list(messaging, 'inbox.dependency'))[0]);
    expect(parked).toMatchObject({ id: 'unpaid', code: 'attempts-exhausted', attempts: 2 });
  });

  test('writes to the outbox in the handler transaction: nothing leaves when the handler fails', async () => {
    const shipped: string[] = [];
    await messaging.startOutboxRelay();
    await messaging.subscribe({
      queue: 'inbox.shipped',
      messages: [orderShipped],
      inbox: false,
      handler: async (message) => void shipped.push(message.payload.orderId),
    });
    await messaging.subscribe({
      queue: 'inbox.chain',
      messages: [orderPlaced],
      retry: quick,
      handler: async (message, { tx, attempt }) => {
        if (tx === undefined) throw new Error('no transaction');
        await outbox(tx, orderShipped, { orderId: `${message.payload.orderId}-${attempt}` }, { aggregate: 'a' });
        if (attempt === 1) throw new Error('rolled back');
      },
    });
    await messaging.publish(orderPlaced, payload);
    await eventually(() => shipped.length > 0);
    await messaging.settled();
    expect(shipped).toEqual(['o-2']);
  });

  test('is cleaned in bounded steps', async () => {
    await database.execute(
      "insert into inbox select 'c', g::text, now() - interval '30 days' from generate_series(1, 250) g",
    );
    await database.execute("insert into inbox values ('c', 'young', now())");
    expect(await cleanInbox(database, { retentionDays: 14, step: 100, steps: 2 })).toBe(200);
    expect(await cleanInbox(database, { retentionDays: 14, step: 100, steps: 9 })).toBe(50);
    expect(await database.query('select message_id from inbox')).toEqual([{ message_id: 'young' }]);
  });
});

/** A consumer in a process of its own, to be killed; see killed-consumer.ts for what it does. */
function start(environment: Record<string, string>): ChildProcess & { lines: string[] } {
  const child = spawn(
    process.execPath,
    ['--import', './test/typescript.mjs', '--conditions=keelson-source', './test/killed-consumer.ts'],
    {
      cwd: new URL('..', import.meta.url),
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const lines: string[] = [];
  child.stdout?.on('data', (data: Buffer) => lines.push(...data.toString().trim().split('\n')));
  return Object.assign(child, { lines });
}

describe('a process killed with SIGKILL', () => {
  let bench: Workbench;
  beforeAll(async () => (bench = await Workbench.open()));
  afterAll(() => bench.close());

  test('between the commit and the acknowledgement leaves the effects of its message there once', async () => {
    const database = await bench.database();
    await database.execute('create table effect (message_id text)');
    const messaging = await bench.messaging();
    await (
      await messaging.subscribe({ queue: 'killed.after', messages: [orderPlaced], handler: async () => undefined })
    ).close();
    await messaging.publish(orderPlaced, payload, { id: 'fatal' });
    const environment = { AMQP_URL: bench.vhost.amqpUrl, DATABASE_URL: bench.databaseUrl, QUEUE: 'killed.after' };
    const first = start({ ...environment, DIE: 'after-commit' });
    await new Promise((resolve) => first.once('exit', resolve));
    expect(await database.query('select message_id from effect')).toEqual([{ message_id: 'fatal' }]);
    const second = start(environment);
    await eventually(() => second.lines.some((line) => line.includes('idle')));
    second.kill('SIGKILL');
    expect(await database.query('select message_id from effect')).toEqual([{ message_id: 'fatal' }]);
  });

  test('by its message each time is not killed for ever: the message is parked as a poison loop', async () => {
    const messaging = await bench.messaging({ exchange: 'poison' });
    await (
      await messaging.subscribe({ queue: 'killed.poison', messages: [orderPlaced], handler: async () => undefined })
    ).close();
    await messaging.publish(orderPlaced, payload, { id: 'poison' });
    const environment = {
      AMQP_URL: bench.vhost.amqpUrl,
      DATABASE_URL: bench.databaseUrl,
      QUEUE: 'killed.poison',
      EXCHANGE: 'poison',
    };
    let deaths = 0;
    while ((await parkingLot.list(messaging, 'killed.poison')).length === 0) {
      const child = start({ ...environment, DIE: 'in-handler' });
      const ended = new Promise((resolve) => child.once('exit', resolve));
      const parked = eventually(
        async () =>
          (await parkingLot.list(messaging, 'killed.poison')).length === 1 ||
          child.exitCode !== null ||
          child.signalCode !== null,
      );
      await parked;
      if (child.signalCode !== null) deaths += 1;
      child.kill('SIGKILL');
      await ended;
    }
    expect(deaths).toBe(3);
    expect(await parkingLot.list(messaging, 'killed.poison')).toMatchObject([
      { id: 'poison', code: 'poison-loop', attempts: 1 },
    ]);
  });
});
