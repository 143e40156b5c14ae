import { eventually } from '@keelson/testing';
import { connect, type ChannelModel } from 'amqplib';
import { parkingLot, queueStates, RetryableError, type Messaging } from '../src/index.ts';
import { defaultDelays, delayReturn } from '../src/topology/delays.ts';
import { returnExchange } from '../src/topology/names.ts';
import { orderPlaced, orderShipped } from './messages.ts';
import { Workbench } from './service.ts';

const LOT = 'keelson.delayed';
const payload = { orderId: 'o', amount: 1 };

describe('a delayed message that finds no queue when it is due', () => {
  let bench: Workbench;
  let model: ChannelModel;
  let messaging: Messaging;
  let serial = 0;
  let queue = '';
  beforeAll(async () => {
    bench = await Workbench.open();
    model = await connect(bench.vhost.amqpUrl);
  });
  beforeEach(async () => {
    serial += 1;
    queue = `unclaimed.q${serial}`;
    messaging = await bench.messaging({ exchange: `unclaimed-${serial}` });
  });
  afterEach(async () => {
    await parkingLot.discard(messaging, LOT, {});
    await messaging.close(500);
  });
  afterAll(async () => {
    await model.close();
    await bench.close();
  });

  const raw = async (work: (channel: Awaited<ReturnType<ChannelModel['createChannel']>>) => Promise<unknown>) => {
    const channel = await model.createChannel();
    await work(channel);
    await channel.close();
  };
  /** Fails the first attempt of each message, and says when. */
  const failingOnce = (firstDelayMs: number) => {
    const attempts: string[] = [];
    const handler = async ({ id }: { id: string }, { attempt }: { attempt: number }) => {
      attempts.push(`${id} ${attempt}`);
      if (attempts.filter((one) => one.startsWith(`${id} `)).length === 1) throw new RetryableError('first time');
    };
    const retry = { quickDelaysMs: [], firstDelayMs };
    const subscribe = () => messaging.subscribe({ queue, messages: [orderPlaced], retry, handler });
    return { attempts, subscribe };
  };
  const inLot = (count: number) =>
    eventually(async () => {
      const found = await parkingLot.list(messaging, LOT);
      return found.length === count && found;
    });

  test('because its queue was deleted while it waited for another attempt is parked, with the reason', async () => {
    const { attempts, subscribe } = failingOnce(4_000);
    const subscription = await subscribe();
    await messaging.publish(orderPlaced, payload, { id: 'retried' });
    await eventually(() => attempts.length === 1);
    await subscription.close();
    await raw((channel) => channel.deleteQueue(queue));

    const [parked] = await inLot(1);
    expect(parked).toMatchObject({
      id: 'retried',
      code: 'queue-missing',
      reason: `queue ${queue} was not there when it was to be tried again; it had failed: first time`,
      attempts: 1,
      exchange: `unclaimed-${serial}`,
      routingKey: 'test.placed.v1',
    });
    expect((await queueStates(messaging)).items).toContainEqual(
      expect.objectContaining({ queue: LOT, parked: 1, lotOnly: true }),
    );
    expect(await parkingLot.redrive(messaging, LOT)).toMatchObject({ done: 0, stopped: { code: 'not-accepted' } });
    expect(await parkingLot.list(messaging, LOT)).toHaveLength(1);

    await subscribe();
    expect(await parkingLot.redrive(messaging, LOT, { code: 'queue-missing' })).toMatchObject({ done: 1 });
    await eventually(() => attempts.length === 2);
    expect(attempts).toEqual(['retried 1', 'retried 1']);
    expect(await parkingLot.list(messaging, LOT)).toEqual([]);
  });

  test('because nobody was bound to it goes, sent again, to all who are bound to it then', async () => {
    await messaging.publish(orderShipped, { orderId: 'early' }, { id: 'early', delayMs: 100 });
    const [parked] = await inLot(1);
    expect(parked).toMatchObject({
      code: 'nobody-bound',
      reason: 'no queue was bound to it when its delay was over',
      type: orderShipped.type,
    });
    expect(await parkingLot.redrive(messaging, LOT)).toMatchObject({ done: 0, stopped: { code: 'not-accepted' } });
    const seen: string[] = [];
    for (const name of ['a', 'b']) {
      await messaging.subscribe({
        queue: `${queue}-${name}`,
        messages: [orderShipped],
        handler: async ({ id, routingKey }) => void seen.push(`${name} ${id} ${routingKey}`),
      });
    }
    expect(await parkingLot.redrive(messaging, LOT)).toMatchObject({ done: 1 });
    await eventually(() => seen.length === 2);
    expect(seen.toSorted()).toEqual(['a early test.shipped.v1', 'b early test.shipped.v1']);
  });

  test('can be looked at, counted by reason and deleted for good', async () => {
    for (const id of ['x', 'y']) await messaging.publish(orderShipped, { orderId: id }, { id, delayMs: 100 });
    await inLot(2);
    expect(await parkingLot.peek(messaging, LOT, 'y')).toMatchObject({ id: 'y', body: '{"orderId":"y"}' });
    expect(await parkingLot.groups(messaging, LOT)).toMatchObject({ groups: [{ code: 'nobody-bound', count: 2 }] });
    expect(await parkingLot.discard(messaging, LOT, { ids: ['x'] })).toMatchObject({ done: 1 });
    expect(await inLot(1)).toMatchObject([{ id: 'y' }]);
  });

  test('is none where earlier versions bound the queue to the return exchange itself: it comes back once', async () => {
    const { attempts, subscribe } = failingOnce(100);
    await subscribe();
    const own = `${queue}-of-an-earlier-version`;
    await raw(async (channel) => {
      const [back, key] = [returnExchange(defaultDelays.unitMs), (name: string) => delayReturn(name, defaultDelays)];
      await channel.bindQueue(queue, back, key(queue));
      // A service that was not upgraded yet: its queue has the binding of before, and no other.
      await channel.assertQueue(own, { durable: true });
      await channel.bindQueue(own, back, key(own));
      channel.publish('keelson.delay.100ms.level-00', `${'0.'.repeat(15)}1.${own}`, Buffer.from('theirs'));
    });
    await messaging.publish(orderPlaced, payload, { id: 'twice' });
    await eventually(() => attempts.length === 2);
    await messaging.settled();
    expect(attempts).toEqual(['twice 1', 'twice 2']);
    const channel = await model.createChannel();
    expect(await eventually(async () => channel.get(own, { noAck: true }))).toMatchObject({
      content: Buffer.from('theirs'),
    });
    await channel.close();
    expect(await parkingLot.list(messaging, LOT)).toEqual([]);
  });
});
