import { eventually } from '@keelson/testing';
import { setTimeout as pause } from 'node:timers/promises';
import { parkingLot, type Messaging } from '../src/index.ts';
import { orderPlaced } from './messages.ts';
import { Workbench } from './service.ts';

const quick = { quickDelaysMs: [], firstDelayMs: 50, maxDelayMs: 100 };

describe('a subscription that keeps order', () => {
  let bench: Workbench;
  let messaging: Messaging;
  let serial = 0;
  beforeAll(async () => (bench = await Workbench.open()));
  beforeEach(async () => (messaging = await bench.messaging({ exchange: `order-${(serial += 1)}` })));
  afterEach(() => messaging.close(500));
  afterAll(() => bench.close());

  /** `orderId` is the key, `amount` counts up under each. */
  const publish = async (keys: number, each: number) => {
    for (let amount = 0; amount < each; amount += 1) {
      for (let key = 0; key < keys; key += 1) await messaging.publish(orderPlaced, { orderId: `k${key}`, amount });
    }
  };
  const byKey = (seen: { orderId: string; amount: number }[]) => {
    const keys = new Map<string, number[]>();
    for (const { orderId, amount } of seen) keys.set(orderId, [...(keys.get(orderId) ?? []), amount]);
    return keys;
  };
  const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

  test('by key handles each key in order, and keys at the same time', async () => {
    const seen: { orderId: string; amount: number }[] = [];
    const running = new Set<string>();
    let most = 0;
    await messaging.subscribe({
      queue: `order.q-${serial}`,
      messages: [orderPlaced],
      partitionBy: ({ payload }) => payload.orderId,
      concurrency: 8,
      prefetch: 40,
      handler: async ({ payload }) => {
        expect(running.has(payload.orderId)).toBe(false);
        running.add(payload.orderId);
        most = Math.max(most, running.size);
        await pause(Math.random() * 8);
        running.delete(payload.orderId);
        seen.push(payload);
      },
    });
    await publish(5, 12);
    await eventually(() => seen.length === 60);
    expect([...byKey(seen).values()]).toEqual(Array.from({ length: 5 }, () => upTo(12)));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(5);
  });

  test('by key holds what follows a failing message of its key, and nothing of the others', async () => {
    const seen: { orderId: string; amount: number; attempt: number }[] = [];
    await messaging.subscribe({
      queue: `order.q-${serial}`,
      messages: [orderPlaced],
      partitionBy: ({ payload }) => payload.orderId,
      retry: { ...quick, attempts: 3 },
      handler: async ({ payload }, { attempt }) => {
        if (payload.orderId === 'k0' && payload.amount === 1 && attempt < 3) throw new Error('not yet');
        if (payload.orderId === 'k1' && payload.amount === 1) throw new Error('never');
        seen.push({ ...payload, attempt });
      },
    });
    await publish(3, 4);
    await eventually(() => seen.length === 11);
    await messaging.settled();
    expect(Object.fromEntries(byKey(seen))).toEqual({ k0: upTo(4), k1: [0, 2, 3], k2: upTo(4) });
    expect(seen.find(({ orderId, amount }) => orderId === 'k0' && amount === 1)?.attempt).toBe(3);
    expect(await parkingLot.list(messaging, `order.q-${serial}`)).toMatchObject([
      { code: 'attempts-exhausted', attempts: 3, reason: 'never' },
    ]);
  });

  test('parks a message that has no key because partitionBy threw', async () => {
    await messaging.subscribe({
      queue: `order.q-${serial}`,
      messages: [orderPlaced],
      partitionBy: () => {
        throw new Error('no customer');
      },
      handler: async () => undefined,
    });
    await messaging.publish(orderPlaced, { orderId: 'a', amount: 1 });
    const [parked] = await eventually(async () => {
      const found = await parkingLot.list(messaging, `order.q-${serial}`);
      return found.length > 0 && found;
    });
    expect(parked).toMatchObject({ code: 'no-partition-key', reason: 'partitionBy threw: no customer' });
  });

  test('as one line handles one after the other, in one of several processes, and the next takes over in order', async () => {
    const seen: { amount: number; by: number }[] = [];
    const handover = Promise.withResolvers<void>();
    const consume = async (by: number) => {
      const own = await bench.messaging({ exchange: `order-${serial}` });
      await own.subscribe({
        queue: `order.q-${serial}`,
        messages: [orderPlaced],
        ordered: true,
        prefetch: 20,
        handler: async ({ payload }) => {
          await pause(3);
          seen.push({ amount: payload.amount, by });
          // The first is in the middle of its twentieth when it closes.
          if (seen.length === 20) await handover.promise;
        },
      });
      return own;
    };
    const first = await consume(1);
    const second = await consume(2);
    const publishing = publish(1, 100);
    await eventually(() => seen.length === 20);
    const closed = first.close();
    handover.resolve();
    await closed;
    await publishing;
    await eventually(() => seen.length >= 100);
    await second.settled();
    expect(seen.map(({ amount }) => amount)).toEqual(upTo(100));
    // No turn of the second before the last of the first.
    expect(seen.map(({ by }) => by)).toEqual(seen.map(({ by }) => by).toSorted((one, other) => one - other));
    expect(seen.at(-1)?.by).toBe(2);
    const queue = (await bench.vhost.management(`/api/queues/${bench.vhost.vhost}/order.q-${serial}`)) as {
      arguments: Record<string, unknown>;
    };
    expect(queue.arguments['x-single-active-consumer']).toBe(true);
  });

  test('as one line is given back in order when it closes while a message is held', async () => {
    const seen: number[] = [];
    const subscribe = (fails: boolean) =>
      messaging.subscribe({
        queue: `order.q-${serial}`,
        messages: [orderPlaced],
        ordered: true,
        prefetch: 10,
        retry: { ...quick, firstDelayMs: 60_000, maxDelayMs: 60_000, attempts: 3 },
        handler: async ({ payload }) => {
          if (fails && payload.amount === 2) throw new Error('held');
          seen.push(payload.amount);
        },
      });
    const first = await subscribe(true);
    await publish(1, 8);
    await eventually(() => seen.length === 2);
    await first.close();
    await subscribe(false);
    await eventually(() => seen.length === 8);
    expect(seen).toEqual(upTo(8));
  });

  test.each([
    {
      name: 'both ways at once',
      options: { ordered: true, partitionBy: () => 'k' },
      error: 'ordered and partitionBy exclude',
    },
    {
      name: 'one line on several lanes',
      options: { ordered: true, concurrency: 2 },
      error: 'ordered allows a concurrency of 1 only; it is 2',
    },
    {
      name: 'order behind a circuit breaker',
      options: { ordered: true, circuitBreaker: true },
      error: 'leave circuitBreaker out',
    },
    { name: 'a concurrency of none', options: { concurrency: 0 }, error: 'concurrency is 0; allowed are 1 to 65535' },
    { name: 'a prefetch that AMQP cannot say', options: { prefetch: 65_536 }, error: 'prefetch is 65536' },
    { name: 'no messages', options: { messages: [] }, error: 'messages is empty' },
    { name: 'a time limit of none', options: { timeoutMs: 0 }, error: 'timeoutMs is 0; allowed is from 1' },
    {
      name: 'a time limit beyond the consumer timeout of the broker',
      options: { timeoutMs: 600_000 },
      error:
        /held for 1800250 ms \(timeoutMs 600000, 3 tries of one attempt\), and the broker takes it back after 1800000 ms/,
    },
    {
      name: 'retries that would be held beyond it',
      options: { ordered: true, retry: { attempts: 12, maxDelayMs: 600_000 } },
      error: /12 attempts, held in this process to keep the order/,
    },
  ])('refuses $name', async ({ options, error }) => {
    const refused = messaging.subscribe({
      queue: 'order.refused',
      messages: [orderPlaced],
      handler: async () => undefined,
      ...options,
    });
    await expect(refused).rejects.toThrow(error);
  });
});
