import type { Database } from '@keelson/persistence';
import { eventually } from '@keelson/testing';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Messaging, NonRetryableError, parkingLot } from '../src/index.ts';
import { orderPlaced } from './messages.ts';
import { Workbench } from './service.ts';

describe('a redrive killed with SIGKILL', () => {
  const queue = 'redrive.orders';
  const exchange = 'redrive-killed';
  const messages = 200;
  const children: ChildProcess[] = [];
  let bench: Workbench;
  let database: Database;
  let messaging: Messaging;
  let broken = true;

  beforeAll(async () => {
    bench = await Workbench.open();
    database = await bench.database();
    await database.execute('create table effect (id text)');
    messaging = await bench.messaging({ exchange, database });
    await messaging.subscribe({
      queue,
      messages: [orderPlaced],
      handler: async (message, { tx }) => {
        if (broken) throw new NonRetryableError('broken');
        await tx?.execute('insert into effect values ($1)', [message.id]);
      },
    });
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await bench.close();
  });

  const parked = async () => (await parkingLot.list(messaging, queue, { limit: 1_000 })).map(({ id }) => id);
  const effects = async () =>
    (await database.query<{ id: string }>('select id from effect order by id')).map(({ id }) => id);
  const redriving = (): ChildProcess => {
    const child = spawn(
      process.execPath,
      ['--import', './test/typescript.mjs', '--conditions=keelson-source', './test/redriving.ts'],
      {
        cwd: new URL('..', import.meta.url),
        env: { PATH: process.env['PATH'], AMQP_URL: bench.vhost.amqpUrl, EXCHANGE: exchange, QUEUE: queue },
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    children.push(child);
    return child;
  };

  test('in the middle of 200 messages loses none, and sends none twice but the one in doubt, which the inbox drops', async () => {
    const ids = Array.from({ length: messages }, (_, n) => `m-${String(n).padStart(3, '0')}`);
    for (const [n, id] of ids.entries()) await messaging.publish(orderPlaced, { orderId: id, amount: n }, { id });
    await eventually(async () => (await parked()).length === messages);
    broken = false;

    let kills = 0;
    for (let done = 0; kills < 3; kills += 1) {
      const child = redriving();
      const ended = once(child, 'exit');
      await eventually(async () => (await effects()).length >= done + 30);
      child.kill('SIGKILL');
      expect(await ended).toEqual([null, 'SIGKILL']);
      done = (await effects()).length;
    }
    await messaging.settled();
    // The broker puts back what the killed process held when it has missed its connection.
    const left = await eventually(async () => {
      const [still, there] = [await parked(), new Set(await effects())];
      return new Set([...still, ...there]).size === messages && still;
    });
    expect(left.length).toBeGreaterThan(0);
    // Sent and not yet taken out when its process died: one for each kill, at most.
    const inDoubt = left.length + (await effects()).length - messages;
    expect(inDoubt).toBeLessThanOrEqual(kills);

    const last = redriving();
    expect(await once(last, 'exit')).toEqual([0, null]);
    await messaging.settled();
    expect(await parked()).toEqual([]);
    expect(await effects()).toEqual(ids);
  });
});
