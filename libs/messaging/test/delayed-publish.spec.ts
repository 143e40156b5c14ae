import { eventually } from '@keelson/testing';
import { parkingLot, type Messaging, type Received } from '../src/index.ts';
import { orderPlaced, orderShipped } from './messages.ts';
import { Workbench } from './service.ts';

const payload = { orderId: 'o', amount: 1 };

describe('a message published with a delay', () => {
  let bench: Workbench;
  let messaging: Messaging;
  let serial = 0;
  beforeAll(async () => (bench = await Workbench.open()));
  beforeEach(async () => (messaging = await bench.messaging({ exchange: `delayed-${(serial += 1)}` })));
  afterEach(() => messaging.close(500));
  afterAll(() => bench.close());

  const collect = async (queue: string) => {
    const seen: { message: Received<typeof orderPlaced>; at: number }[] = [];
    await messaging.subscribe({
      queue,
      messages: [orderPlaced],
      handler: async (message) => void seen.push({ message, at: performance.now() }),
    });
    return seen;
  };

  test('comes to every queue that is bound to it, not before its time, and looks like any other', async () => {
    const first = await collect('delayed.first');
    const second = await collect('delayed.second');
    const from = performance.now();
    await messaging.publish(orderPlaced, payload, { id: 'late', delayMs: 300, key: 'k' });
    await eventually(() => first.length === 1 && second.length === 1);
    await messaging.settled();
    for (const [only] of [first, second]) {
      expect(only?.at).toBeGreaterThanOrEqual(from + 300);
      expect(only?.message).toMatchObject({ id: 'late', key: 'k', routingKey: 'test.placed.v1', payload });
    }
    expect(first).toHaveLength(1);
  });

  test('waits behind none with a longer delay', async () => {
    const seen = await collect('delayed.order');
    const long = messaging.publish(orderPlaced, payload, { id: 'long', delayMs: 300_000 });
    await Promise.all([long, messaging.publish(orderPlaced, payload, { id: 'short', delayMs: 100 })]);
    await eventually(() => seen.length === 1);
    expect(seen[0]?.message.id).toBe('short');
  });

  test('may be the first that this process does: the delay queues need no consumer to be there', async () => {
    await messaging.publish(orderPlaced, payload, { id: 'early', delayMs: 400 });
    await eventually(async () =>
      (await parkingLot.list(messaging, 'keelson.delayed')).some(({ id }) => id === 'early'),
    );
  });

  test('that reaches no queue when it is due is parked, and holds up nobody in the same level', async () => {
    const seen = await collect('delayed.others');
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => messaging.publish(orderShipped, { orderId: `${n}` }, { delayMs: 100 })),
    );
    const parked = await eventually(async () => {
      const all = await parkingLot.list(messaging, 'keelson.delayed', { limit: 200 });
      const found = all.filter(({ type }) => type === 'dev.keelson.test.shipped.v1');
      return found.length === 100 && found;
    });
    expect(parked[0]).toMatchObject({ routingKey: 'test.shipped.v1' });
    await messaging.publish(orderPlaced, payload, { delayMs: 100 });
    await eventually(() => seen.length === 1);
  });

  test.each([{ delayMs: 0 }, { delayMs: -1 }, { delayMs: Number.NaN }, { delayMs: 6_553_501 }])(
    'is refused with a delay of $delayMs ms',
    async ({ delayMs }) => {
      await expect(messaging.publish(orderPlaced, payload, { delayMs })).rejects.toThrow(
        `publish test.placed.v1: delayMs is ${delayMs}; allowed are 1 to 6553500. For longer, schedule() keeps it in the database.`,
      );
    },
  );

  test('is refused when it says that no receiver is fine', async () => {
    const refused = messaging.publish(orderPlaced, payload, { delayMs: 100, mandatory: false });
    await expect(refused).rejects.toThrow('mandatory: false does not go with delayMs');
  });
});
