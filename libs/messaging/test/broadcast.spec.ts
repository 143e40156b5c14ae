import { eventually } from '@keelson/testing';
import { parkingLot } from '../src/index.ts';
import { orderPlaced, orderShipped } from './messages.ts';
import { memoryLog, Workbench } from './service.ts';

describe('a broadcast subscription', () => {
  let bench: Workbench;
  beforeAll(async () => (bench = await Workbench.open()));
  afterAll(() => bench.close());

  const instance = async (exchange: string, fails = (_amount: number, _attempt: number) => false) => {
    const log = memoryLog();
    const messaging = await bench.messaging({ exchange, log });
    const seen: number[] = [];
    await messaging.subscribeBroadcast({
      name: 'broadcast.cache',
      messages: [orderPlaced],
      retry: { quickDelaysMs: [], firstDelayMs: 10, maxDelayMs: 20, attempts: 3 },
      handler: async ({ payload }, { attempt }) => {
        if (fails(payload.amount, attempt)) throw new Error('cache on fire');
        seen.push(payload.amount);
      },
    });
    return { messaging, seen, log };
  };

  test('gives every message to every instance, in order', async () => {
    const instances = await Promise.all([1, 2, 3].map(() => instance('broadcast-all')));
    const publisher = await bench.messaging({ exchange: 'broadcast-all' });
    for (let amount = 0; amount < 50; amount += 1) await publisher.publish(orderPlaced, { orderId: 'o', amount });
    const all = Array.from({ length: 50 }, (_, amount) => amount);
    for (const { seen } of instances) {
      await eventually(() => seen.length === 50);
      expect(seen).toEqual(all);
    }
  });

  test('leaves no queue behind when its instance goes, and misses what is published meanwhile', async () => {
    const { messaging, seen } = await instance('broadcast-gone');
    await messaging.publish(orderPlaced, { orderId: 'o', amount: 1 });
    await eventually(() => seen.length === 1);
    await messaging.close(500);
    const publisher = await bench.messaging({ exchange: 'broadcast-gone' });
    await eventually(() =>
      publisher.publish(orderPlaced, { orderId: 'o', amount: 2 }, { mandatory: true }).then(
        () => false,
        () => true,
      ),
    );
    await publisher.publish(orderPlaced, { orderId: 'o', amount: 3 }, { mandatory: false });
    const again = await instance('broadcast-gone');
    await publisher.publish(orderPlaced, { orderId: 'o', amount: 4 });
    await eventually(() => again.seen.length === 1);
    expect(again.seen).toEqual([4]);
  });

  test('has a queue again after its connection was lost', async () => {
    const { messaging, seen } = await instance('broadcast-lost');
    const connections = (await eventually(async () => {
      const all = (await bench.vhost.management('/api/connections')) as { name: string; vhost: string }[];
      return all.some(({ vhost }) => vhost === bench.vhost.vhost) && all;
    })) as { name: string; vhost: string }[];
    for (const { name, vhost } of connections) {
      if (vhost === bench.vhost.vhost)
        await bench.vhost.management(`/api/connections/${encodeURIComponent(name)}`, { method: 'DELETE' });
    }
    await eventually(() => messaging.publish(orderPlaced, { orderId: 'o', amount: 7 }).then(() => true));
    await eventually(() => seen.includes(7));
  });

  test('tries a failing message again in its process, then drops it there, with a word in the log', async () => {
    const failing = await instance('broadcast-fails', (amount, attempt) => amount === 1 || attempt === 1);
    const other = await instance('broadcast-fails');
    for (const amount of [1, 2]) await other.messaging.publish(orderPlaced, { orderId: 'o', amount });
    await eventually(() => failing.seen.length === 1 && other.seen.length === 2);
    expect(failing.seen).toEqual([2]);
    expect(failing.log.lines).toContainEqual(
      expect.objectContaining({
        message: 'broadcast message dropped in this process',
        code: 'attempts-exhausted',
        reason: 'cache on fire',
        attempts: 3,
      }),
    );
  });

  test('does not stand in for a consumer: events of others are as they were', async () => {
    const { messaging } = await instance('broadcast-beside');
    await messaging.subscribe({ queue: 'broadcast.queue', messages: [orderShipped], handler: async () => undefined });
    await messaging.publish(orderShipped, { orderId: 'o' });
    await messaging.settled();
    expect(await parkingLot.list(messaging, 'broadcast.queue')).toEqual([]);
  });
});
