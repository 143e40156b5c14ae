import { eventually, fixedClock, tcpProxy } from '@keelson/testing';
import { Database } from '@keelson/persistence';
import { spawn } from 'node:child_process';
import {
  cancelScheduled,
  InvalidMessageError,
  outboxMigrations,
  schedule,
  scheduleMigrations,
  type Messaging,
  type Received,
} from '../src/index.ts';
import { orderPlaced } from './messages.ts';
import { memoryLog, Workbench } from './service.ts';

const day = 86_400_000;
const payload = { orderId: 'o', amount: 1 };

describe('a scheduled message', () => {
  let bench: Workbench;
  let database: Database;
  let serial = 0;
  beforeAll(async () => {
    bench = await Workbench.open();
    database = await bench.database();
  });
  const open: Messaging[] = [];
  beforeEach(() => database.execute('truncate outbox, outbox_deferred, scheduled_message'));
  afterEach(async () => void (await Promise.all(open.splice(0).map((messaging) => messaging.close(500)))));
  afterAll(() => bench.close());

  const receiver = async (options = {}) => {
    const seen: (Received<typeof orderPlaced> & { at: number })[] = [];
    const messaging = await bench.messaging({ exchange: `schedule-${(serial += 1)}`, database, ...options });
    open.push(messaging);
    await messaging.subscribe({
      queue: `schedule.queue-${serial}`,
      messages: [orderPlaced],
      inbox: false,
      handler: async (message) => void seen.push({ ...message, at: Date.now() }),
    });
    await messaging.startOutboxRelay();
    return { messaging, seen };
  };
  const waiting = () => database.query('select id from scheduled_message order by id');

  test('leaves when it is due and not before, days ahead, by the clock it is given', async () => {
    const clock = fixedClock(new Date());
    const { messaging, seen } = await receiver({ clock });
    const scheduler = await messaging.startScheduler();
    const at = new Date(clock.now().getTime() + 3 * day);
    await database.transaction((tx) =>
      schedule(tx, orderPlaced, payload, { at, id: 'order/o/reminder', aggregate: 'order/o' }),
    );
    clock.advance(3 * day - 1);
    scheduler.wake();
    await messaging.settled();
    expect(seen).toHaveLength(0);
    clock.advance(1);
    scheduler.wake();
    await eventually(() => seen.length === 1);
    expect(seen[0]).toMatchObject({ payload, key: 'order/o', time: at });
    expect(await waiting()).toEqual([]);
  });

  test('is due by the clock of the database when no other is given, and wakes a scheduler that sleeps longer', async () => {
    const { messaging, seen } = await receiver();
    await messaging.startScheduler({ pollMs: 600_000 });
    const from = Date.now();
    await database.transaction((tx) => schedule(tx, orderPlaced, payload, { afterMs: 400, aggregate: 'a' }));
    await database.transaction((tx) => schedule(tx, orderPlaced, payload, { at: new Date(0), aggregate: 'a' }));
    await eventually(() => seen.length === 2);
    expect(seen[0]?.time).toEqual(new Date(0));
    expect(seen[1]?.at).toBeGreaterThanOrEqual(from + 395);
  });

  test('is cancelled by its id, if and only if the transaction commits', async () => {
    const at = new Date(Date.now() + day);
    await database.transaction((tx) => schedule(tx, orderPlaced, payload, { at, id: 'one', aggregate: 'a' }));
    const undone = database.transaction(async (tx) => {
      expect(await cancelScheduled(tx, 'one')).toBe(true);
      throw new Error('no');
    });
    await expect(undone).rejects.toThrow('no');
    expect(await waiting()).toEqual([{ id: 'one' }]);
    expect(await database.transaction((tx) => cancelScheduled(tx, 'one'))).toBe(true);
    expect(await database.transaction((tx) => cancelScheduled(tx, 'one'))).toBe(false);
    expect(await waiting()).toEqual([]);
  });

  test('is not kept when the transaction rolls back', async () => {
    const undone = database.transaction(async (tx) => {
      await schedule(tx, orderPlaced, payload, { afterMs: 0, aggregate: 'a' });
      throw new Error('no');
    });
    await expect(undone).rejects.toThrow('no');
    expect(await waiting()).toEqual([]);
  });

  test('is replaced by another one under the same id', async () => {
    const { messaging, seen } = await receiver();
    const later = (amount: number, afterMs: number) =>
      database.transaction((tx) =>
        schedule(tx, orderPlaced, { orderId: 'o', amount }, { afterMs, id: 'same', aggregate: 'a' }),
      );
    expect(await later(1, day)).toBe('same');
    await later(2, 0);
    await messaging.startScheduler();
    await eventually(() => seen.length === 1);
    await messaging.settled();
    expect(seen.map((message) => message.payload.amount)).toEqual([2]);
  });

  test('leaves once, with three schedulers side by side and cancellations in between', async () => {
    const { messaging, seen } = await receiver();
    await database.transaction(async (tx) => {
      for (let amount = 0; amount < 600; amount += 1) {
        const options = { afterMs: amount, id: `many-${amount}`, aggregate: `a-${amount % 20}` };
        await schedule(tx, orderPlaced, { orderId: 'o', amount }, options);
      }
    });
    for (let n = 0; n < 3; n += 1) {
      const other = await bench.database(`scheduler-${n}`);
      const side = await bench.messaging({ exchange: `schedule-${serial}`, database: other });
      open.push(side);
      await side.startScheduler({ batch: 7, pollMs: 20 });
    }
    let cancelled = 0;
    for (let amount = 599; amount > 0; amount -= 10) {
      if (await database.transaction((tx) => cancelScheduled(tx, `many-${amount}`))) cancelled += 1;
    }
    await eventually(async () => (await waiting()).length === 0);
    await messaging.settled();
    expect(seen).toHaveLength(600 - cancelled);
    expect(new Set(seen.map((message) => message.payload.amount)).size).toBe(600 - cancelled);
  });

  test('survives an outage of the database between scheduling and its time', async () => {
    const proxy = await tcpProxy(bench.databaseUrl);
    const log = memoryLog();
    const through = await Database.open({
      url: proxy.url(bench.databaseUrl),
      name: 'through',
      migrations: [...outboxMigrations, ...scheduleMigrations],
      log,
    });
    const { messaging, seen } = await receiver();
    const side = await bench.messaging({ exchange: `schedule-${serial}`, database: through, log });
    open.push(side);
    await side.startScheduler({ pollMs: 50 });
    proxy.refuse();
    proxy.cut();
    await database.transaction((tx) => schedule(tx, orderPlaced, payload, { afterMs: 0, aggregate: 'a' }));
    await eventually(() => log.lines.some((line) => line.message.startsWith('message scheduler: the database')));
    expect(seen).toHaveLength(0);
    proxy.resume();
    await eventually(() => seen.length === 1);
    await messaging.settled();
    await side.close(500);
    await through.close();
    await proxy.close();
  });

  test('is left where it was by a scheduler killed with SIGKILL, for the next one', async () => {
    const { messaging, seen } = await receiver();
    await database.transaction(async (tx) => {
      for (let amount = 0; amount < 300; amount += 1) {
        await schedule(tx, orderPlaced, { orderId: 'o', amount }, { afterMs: 0, id: `k-${amount}`, aggregate: 'a' });
      }
    });
    const child = spawn(
      process.execPath,
      ['--import', './test/typescript.mjs', '--conditions=keelson-source', './test/killed-scheduler.ts'],
      {
        cwd: new URL('..', import.meta.url),
        env: { PATH: process.env['PATH'], AMQP_URL: bench.vhost.amqpUrl, DATABASE_URL: bench.databaseUrl },
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await eventually(async () => (await waiting()).length < 300);
    child.kill('SIGKILL');
    await ended;
    await messaging.startScheduler();
    await eventually(async () => (await waiting()).length === 0);
    await messaging.settled();
    expect(seen.map((message) => message.payload.amount).sort((one, other) => one - other)).toEqual(
      Array.from({ length: 300 }, (_, amount) => amount),
    );
  });

  test.each([
    { name: 'no time', options: {}, error: 'give either at (a Date) or afterMs' },
    { name: 'two times', options: { at: new Date(), afterMs: 1 }, error: 'give either at (a Date) or afterMs' },
    { name: 'a date that is none', options: { at: new Date('soon') }, error: 'at is Invalid Date' },
    { name: 'a negative delay', options: { afterMs: -1 }, error: 'afterMs is -1; allowed are 0 to' },
    { name: 'a delay that is no number', options: { afterMs: Number.NaN }, error: 'afterMs is NaN' },
    { name: 'an empty id', options: { afterMs: 1, id: '' }, error: 'id is empty' },
  ])('is refused with $name', async ({ options, error }) => {
    const refused = database.transaction((tx) =>
      schedule(tx, orderPlaced, payload, { aggregate: 'a', ...options } as never),
    );
    await expect(refused).rejects.toThrow(error);
  });

  test('is validated when it is scheduled', async () => {
    const refused = database.transaction((tx) =>
      schedule(tx, orderPlaced, { orderId: 1 } as never, { aggregate: 'a', afterMs: 1 }),
    );
    await expect(refused).rejects.toThrow(InvalidMessageError);
  });
});
