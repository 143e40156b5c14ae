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
    expect(await parkingLot.redrive(messaging, queue, { code: 'broken-b', dryRun: true })).toEqual({
      seen: 5,
      matched: 2,
      done: 0,
    });
    expect(await parkingLot.redrive(messaging, queue, { code: 'broken-b' })).toEqual({ seen: 5, matched: 2, done: 2 });
    await eventually(() => handled.length === 2);
    expect(handled).toEqual(['b1', 'b3']);
    expect(await ids()).toEqual(['a0', 'a2', 'a4']);
  });

  test('counts how often a message was sent again, and gives it a fresh retry budget', async () => {
    await parkingLot.redrive(messaging, queue, { ids: ['a0'] });
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

  test('discards what is asked for', async () => {
    expect(await parkingLot.discard(messaging, queue, { ids: ['a2', 'b3'] })).toEqual({ seen: 5, matched: 2, done: 2 });
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
