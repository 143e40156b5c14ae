import type { Database } from '@keelson/persistence';
import { eventually } from '@keelson/testing';
import type { Messaging, StreamOptions } from '../src/index.ts';
import { orderPlaced } from './messages.ts';
import { memoryLog, Workbench } from './service.ts';

describe('a subscription to a stream', () => {
  let bench: Workbench;
  let database: Database;
  let serial = 0;
  beforeAll(async () => {
    bench = await Workbench.open();
    database = await bench.database();
    await database.execute('create table price (instance text, amount int)');
  });
  beforeEach(() => (serial += 1));
  afterAll(() => bench.close());

  const connected = (log = memoryLog()) => bench.messaging({ exchange: `stream-${serial}`, database, log });
  const subscribe = (
    messaging: Messaging,
    instance: string,
    options: Partial<StreamOptions<typeof orderPlaced>> = {},
  ) =>
    messaging.subscribeStream({
      stream: `stream.prices-${serial}`,
      instance: `${instance}-${serial}`,
      messages: [orderPlaced],
      from: 'first',
      retry: { quickDelaysMs: [], firstDelayMs: 10, maxDelayMs: 20, attempts: 3 },
      handler: async ({ payload }, { tx }) =>
        void (await tx?.execute('insert into price values ($1, $2)', [`${instance}-${serial}`, payload.amount])),
      ...options,
    });
  const seenBy = async (instance: string) =>
    (
      await database.query<{ amount: number }>('select amount from price where instance = $1 order by ctid', [
        `${instance}-${serial}`,
      ])
    ).map(({ amount }) => amount);
  const publish = async (messaging: Messaging, ...amounts: number[]) => {
    for (const amount of amounts) await messaging.publish(orderPlaced, { orderId: 'o', amount });
  };

  test('gives each instance everything in order and once, with what was published while it was away', async () => {
    const [first, second] = [await connected(), await connected()];
    await subscribe(first, 'a');
    const subscription = await subscribe(second, 'b');
    await publish(first, 1, 2, 3);
    for (const instance of ['a', 'b']) await eventually(async () => (await seenBy(instance)).length === 3);
    await subscription.close();
    await publish(first, 4, 5);
    await eventually(async () => (await seenBy('a')).length === 5);
    expect(await seenBy('b')).toEqual([1, 2, 3]);
    await subscribe(second, 'b');
    await publish(first, 6);
    for (const instance of ['a', 'b']) await eventually(async () => (await seenBy(instance)).length === 6);
    expect(await seenBy('a')).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await seenBy('b')).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('goes on where it was after its connection was lost', async () => {
    const messaging = await connected();
    await subscribe(messaging, 'a');
    await publish(messaging, 1, 2);
    await eventually(async () => (await seenBy('a')).length === 2);
    const connections = await eventually(async () => {
      const all = (await bench.vhost.management('/api/connections')) as { name: string; vhost: string }[];
      return all.some(({ vhost }) => vhost === bench.vhost.vhost) && all;
    });
    for (const { name, vhost } of connections) {
      if (vhost === bench.vhost.vhost)
        await bench.vhost.management(`/api/connections/${encodeURIComponent(name)}`, { method: 'DELETE' });
    }
    await eventually(() => publish(messaging, 3).then(() => true));
    await eventually(async () => (await seenBy('a')).includes(3));
    expect((await seenBy('a')).slice(0, 3)).toEqual([1, 2, 3]);
  });

  test('passes over what fails each time, with a word in the log, and keeps nothing of it', async () => {
    const log = memoryLog();
    const messaging = await connected(log);
    await subscribe(messaging, 'a', {
      handler: async ({ payload }, { tx }) => {
        await tx?.execute('insert into price values ($1, $2)', [`a-${serial}`, payload.amount]);
        if (payload.amount === 2) throw new Error('no such price');
      },
    });
    await publish(messaging, 1, 2, 3);
    await eventually(async () => (await seenBy('a')).includes(3));
    expect(await seenBy('a')).toEqual([1, 3]);
    expect(log.lines).toContainEqual(expect.objectContaining({ code: 'attempts-exhausted', reason: 'no such price' }));
    await messaging.settled();
  });

  test('begins with the next message where it was never here before, unless told otherwise', async () => {
    const messaging = await connected();
    await subscribe(messaging, 'a');
    await publish(messaging, 1);
    await eventually(async () => (await seenBy('a')).length === 1);
    await subscribe(messaging, 'late', { from: 'next' });
    await publish(messaging, 2);
    await eventually(async () => (await seenBy('late')).length === 1);
    expect(await seenBy('late')).toEqual([2]);
  });

  test('is refused without a database, which keeps its place', async () => {
    const messaging = await bench.messaging({ exchange: `stream-${serial}` });
    await expect(subscribe(messaging, 'a')).rejects.toThrow('needs the database');
  });
});
