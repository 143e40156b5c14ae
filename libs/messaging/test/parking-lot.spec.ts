import { messageDiscarded, messageRedriven } from '@keelson/contracts';
import { eventually } from '@keelson/testing';
import { connect } from 'amqplib';
import { NonRetryableError, parkingLot, type Messaging } from '../src/index.ts';
import { orderPlaced } from './messages.ts';
import { Workbench } from './service.ts';

describe('the parking lot', () => {
  let bench: Workbench;
  let messaging: Messaging;
  const broken = new Set<string>();
  const handled: string[] = [];
  const queue = 'parking.orders';

  beforeAll(async () => {
    bench = await Workbench.open();
    messaging = await bench.messaging();
    await messaging.subscribe({
      queue,
      messages: [orderPlaced],
      concurrency: 1,
      handler: async (message) => {
        if (broken.has(message.payload.orderId))
          throw new NonRetryableError('broken', { code: `broken-${message.payload.orderId}` });
        handled.push(message.id);
      },
    });
  });
  beforeEach(async () => {
    handled.length = 0;
    broken.clear();
    broken.add('a').add('b');
    for (const [index, orderId] of ['a', 'b', 'a', 'b', 'a'].entries())
      await messaging.publish(orderPlaced, { orderId, amount: 1 }, { id: `${orderId}${index}` });
    await eventually(async () => (await parkingLot.list(messaging, queue)).length === 5);
  });
  afterEach(async () => void (await parkingLot.discard(messaging, queue, {})));
  afterAll(() => bench.close());

  const ids = async (filter = {}) => (await parkingLot.list(messaging, queue, filter)).map((message) => message.id);

  test('lists in order, by code, and leaves everything where it is however often it is looked at', async () => {
    for (let look = 0; look < 25; look += 1) expect(await ids()).toEqual(['a0', 'b1', 'a2', 'b3', 'a4']);
    expect(await ids({ code: 'broken-b' })).toEqual(['b1', 'b3']);
    expect(await parkingLot.peek(messaging, queue, 'b3')).toMatchObject({
      id: 'b3',
      body: '{"orderId":"b","amount":1}',
    });
    expect(await parkingLot.peek(messaging, queue, 'nobody')).toBeUndefined();
  });

  test('sends again what is asked for, under the same id, and keeps the rest', async () => {
    broken.clear();
    expect(await parkingLot.redrive(messaging, queue, { code: 'broken-b', dryRun: true })).toMatchObject({
      seen: 5,
      matched: 2,
      done: 0,
      more: false,
    });
    expect(await parkingLot.redrive(messaging, queue, { code: 'broken-b' })).toMatchObject({
      seen: 5,
      matched: 2,
      done: 2,
      more: false,
    });
    await eventually(() => handled.length === 2);
    expect(handled).toEqual(['b1', 'b3']);
    expect(await ids()).toEqual(['a0', 'a2', 'a4']);
  });

  test('counts how often a message was sent again, and gives it a fresh retry budget', async () => {
    expect(await parkingLot.redrive(messaging, queue, { ids: ['a0'], watchMs: 10_000 })).toMatchObject({
      done: 1,
      stopped: { code: 'failed-again', id: 'a0', detail: 'broken-a: broken' },
    });
    const again = await eventually(async () => {
      const found = await parkingLot.peek(messaging, queue, 'a0');
      return found?.redriveCount === 1 ? found : undefined;
    });
    expect(again).toMatchObject({
      attempts: 1,
      code: 'broken-a',
      routingKey: 'test.placed.v1',
      exchange: 'keelson.events',
    });
  });

  test('stops sending again when one fails again, long before all have, and does not send that one twice', async () => {
    for (let n = 0; n < 60; n += 1)
      await messaging.publish(orderPlaced, { orderId: 'a', amount: 1 }, { id: `more${n}` });
    await eventually(async () => (await parkingLot.list(messaging, queue)).length === 65);
    const first = await parkingLot.redrive(messaging, queue, { ratePerSecond: 20 });
    expect(first).toMatchObject({ more: true, stopped: { code: 'failed-again', id: 'a0' } });
    expect(first.done).toBeLessThan(60);
    const rest = await parkingLot.redrive(messaging, queue, { run: first.run!, stopOnFailure: false });
    expect(rest.done + first.done).toBe(65);
    const all = await eventually(async () => {
      const found = await parkingLot.list(messaging, queue);
      return found.length === 65 ? found : undefined;
    });
    expect(all.map(({ redriveCount }) => redriveCount)).toEqual(all.map(() => 1));
  });

  test('finds by text, key and time, in groups and page by page', async () => {
    await messaging.publish(orderPlaced, { orderId: 'b', amount: 4711 }, { id: 'keyed', key: 'customer/7' });
    await eventually(async () => (await ids()).length === 6);
    expect(await ids({ text: '4711' })).toEqual(['keyed']);
    expect(await ids({ text: 'broken' })).toHaveLength(6);
    expect(await ids({ key: 'customer/7' })).toEqual(['keyed']);
    expect(await ids({ type: 'test.placed.v1' })).toHaveLength(6);
    expect(await ids({ type: 'test.shipped.v1' })).toEqual([]);
    expect(await ids({ since: new Date(Date.now() + 60_000) })).toEqual([]);
    expect(await ids({ until: new Date(Date.now() + 60_000) })).toHaveLength(6);
    expect(await ids({ offset: 4, limit: 10 })).toEqual(['a4', 'keyed']);
    const { groups, complete } = await parkingLot.groups(messaging, queue);
    expect(complete).toBe(true);
    expect(groups).toMatchObject([
      { code: 'broken-a', count: 3, type: 'dev.keelson.test.placed.v1', example: 'broken' },
      { code: 'broken-b', count: 3 },
    ]);
  });

  test('two that walk through it at once each see all of it', async () => {
    const seen = await Promise.all([ids(), ids(), parkingLot.groups(messaging, queue), ids()]);
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]).toHaveLength(5);
    expect(seen[3]).toHaveLength(5);
  });

  test('sends a corrected copy under a new id, and refuses one that does not fit', async () => {
    await expect(parkingLot.edit(messaging, queue, 'b1', { payload: { orderId: 7 } })).rejects.toThrow(
      /test.placed.v1 is invalid: \/orderId .*; \/amount/,
    );
    expect(await ids()).toHaveLength(5);
    const id = await parkingLot.edit(messaging, queue, 'b1', { payload: { orderId: 'fine', amount: 2 }, by: 'ana' });
    await eventually(() => handled.length === 1);
    expect(handled).toEqual([id]);
    expect(id).not.toBe('b1');
    expect(await ids()).toEqual(['a0', 'a2', 'b3', 'a4']);
    expect(await parkingLot.edit(messaging, queue, 'nobody', { payload: {} })).toBeUndefined();
  });

  test('tells the platform and the log who did what', async () => {
    const told: string[] = [];
    await messaging.subscribe({
      queue: 'parking.audit',
      messages: [messageRedriven, messageDiscarded],
      handler: async ({ name, payload }) =>
        void told.push(`${name} ${payload.by} ${payload.queue} ${payload.ids.join()}`),
    });
    broken.clear();
    await parkingLot.redrive(messaging, queue, { ids: ['b1', 'b3'], by: 'ana' });
    await parkingLot.discard(messaging, queue, { ids: ['a0'], by: 'bo' });
    await parkingLot.discard(messaging, queue, { ids: ['a2'], by: 'bo', dryRun: true });
    await eventually(() => told.length === 2);
    expect(told.toSorted()).toEqual([
      'message.discarded bo parking.orders a0',
      'message.redriven ana parking.orders b1,b3',
    ]);
  });

  test('leaves what its queue does not take, and says so', async () => {
    const full = await messaging.subscribe({
      queue: 'parking.full',
      messages: [orderPlaced],
      limits: { maxLength: 1 },
      handler: async () => {
        throw new NonRetryableError('no', { code: 'no' });
      },
    });
    await eventually(async () => {
      await messaging.publish(orderPlaced, { orderId: 'x', amount: 1 });
      return (await parkingLot.list(messaging, 'parking.full')).length >= 4;
    });
    await full.close();
    const before = (await parkingLot.list(messaging, 'parking.full')).length;
    const result = await parkingLot.redrive(messaging, 'parking.full');
    expect(result).toMatchObject({ more: true, stopped: { code: 'not-accepted' } });
    expect(result.stopped?.detail).toMatch(/refused/);
    expect(result.done).toBeGreaterThan(0);
    await eventually(async () => (await parkingLot.list(messaging, 'parking.full')).length === before - result.done);
    await bench.vhost.management(`/api/queues/${bench.vhost.vhost}/parking.full`, { method: 'DELETE' });
  });

  test('discards what is asked for', async () => {
    expect(await parkingLot.discard(messaging, queue, { ids: ['a2', 'b3'] })).toMatchObject({
      seen: 5,
      matched: 2,
      done: 2,
      more: false,
    });
    expect(await ids()).toEqual(['a0', 'b1', 'a4']);
  });

  test('also gets what the broker itself gives up, at its delivery limit', async () => {
    const limited = await messaging.subscribe({
      queue: 'parking.limited',
      messages: [orderPlaced],
      limits: { deliveryLimit: 2 },
      handler: async () => undefined,
    });
    await limited.close();
    const connection = await connect(bench.vhost.amqpUrl);
    const channel = await connection.createChannel();
    await messaging.publish(orderPlaced, { orderId: 'fine', amount: 1 }, { id: 'unlucky' });
    await channel.consume('parking.limited', (message) => message !== null && channel.nack(message, false, true));
    const [parked] = await eventually(async () => {
      const found = await parkingLot.list(messaging, 'parking.limited');
      return found.length > 0 ? found : undefined;
    });
    await connection.close();
    expect(parked).toMatchObject({
      id: 'unlucky',
      code: 'delivery_limit',
      exchange: 'keelson.events',
      routingKey: 'test.placed.v1',
    });
    const seen: string[] = [];
    await messaging.subscribe({
      queue: 'parking.limited',
      messages: [orderPlaced],
      limits: { deliveryLimit: 2 },
      handler: async (message) => void seen.push(message.routingKey),
    });
    await parkingLot.redrive(messaging, 'parking.limited');
    await eventually(() => seen.length === 1);
    expect(seen).toEqual(['test.placed.v1']);
  });

  test('of a queue that does not exist is an error that names it', async () => {
    await expect(parkingLot.list(messaging, 'no-such')).rejects.toThrow(/no-such.parked/);
  });
});
