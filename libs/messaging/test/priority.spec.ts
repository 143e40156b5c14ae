import { eventually } from '@keelson/testing';
import { connect } from 'amqplib';
import { outbox, UnsupportedByBrokerError, type Messaging } from '../src/index.ts';
import { isAtLeast } from '../src/connection/broker.ts';
import { orderPlaced } from './messages.ts';
import { Workbench } from './service.ts';

describe('priorities', () => {
  let bench: Workbench;
  let messaging: Messaging;
  let serial = 0;
  beforeAll(async () => (bench = await Workbench.open()));
  beforeEach(async () => (messaging = await bench.messaging({ exchange: `priority-${(serial += 1)}` })));
  afterEach(() => messaging.close(500));
  afterAll(() => bench.close());

  const publish = (amount: number, priority?: 'low' | 'normal' | 'high', delayMs?: number) =>
    messaging.publish(
      orderPlaced,
      { orderId: 'o', amount },
      { ...(priority && { priority }), ...(delayMs && { delayMs }) },
    );

  test('the version of the broker is in the health', () => {
    expect(messaging.health().broker).toEqual({
      product: 'RabbitMQ',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    });
  });

  test("in the broker's queues are refused with the reason where it is too old; where it is not, what is high comes first", async () => {
    const { broker } = messaging.health();
    const seen: number[] = [];
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const attempt = messaging.subscribe({
      queue: 'priority.broker',
      messages: [orderPlaced],
      priorities: 'broker',
      concurrency: 1,
      prefetch: 1,
      handler: async ({ payload }) => {
        seen.push(payload.amount);
        await gate;
      },
    });
    if (broker !== undefined && isAtLeast(broker, 4, 0)) {
      await attempt;
      await publish(1);
      await eventually(() => seen.length === 1);
      for (const amount of [2, 3, 4]) await publish(amount, 'low');
      await publish(9, 'high');
      release();
      await messaging.settled();
      return expect(seen).toEqual([1, 9, 2, 3, 4]);
    }
    await expect(attempt).rejects.toThrow(UnsupportedByBrokerError);
    await expect(attempt).rejects.toThrow(
      `needs quorum queues of RabbitMQ 4.0 or newer; this is RabbitMQ ${broker?.version}. Use priorities: 'separate-queues'`,
    );
    expect(messaging.health().consumers).toEqual([]);
  });

  test('in separate queues let what is urgent wait behind nothing else, also from outbox and delay', async () => {
    const database = await bench.database();
    const withDatabase = await bench.messaging({ exchange: `priority-${serial}`, database });
    const seen: string[] = [];
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    await messaging.subscribe({
      queue: 'priority.two',
      messages: [orderPlaced],
      priorities: 'separate-queues',
      concurrency: 2,
      handler: async ({ payload, queue }) => {
        seen.push(`${queue} ${payload.amount}`);
        if (queue === 'priority.two') await gate;
      },
    });
    await Promise.all([publish(1), publish(2, 'low'), publish(3, 'normal'), publish(4)]);
    await eventually(() => seen.length === 2);
    await publish(5, 'high');
    await publish(6, 'high', 100);
    await withDatabase.startOutboxRelay();
    await database.transaction((tx) =>
      outbox(tx, orderPlaced, { orderId: 'o', amount: 7 }, { aggregate: 'o', priority: 'high' }),
    );
    await eventually(() => seen.length === 5);
    expect(seen.slice(2).sort()).toEqual(['priority.two.high 5', 'priority.two.high 6', 'priority.two.high 7']);
    release();
    await messaging.settled();
    expect(seen.slice(5).map((line) => line.split(' ')[0])).toEqual(['priority.two', 'priority.two']);
    await withDatabase.close(500);
  });

  test('given to a queue that had none give nothing twice', async () => {
    const seen: number[] = [];
    const options = {
      queue: 'priority.later',
      messages: [orderPlaced],
      handler: async (message: { payload: { amount: number } }) => void seen.push(message.payload.amount),
    } as const;
    await (await messaging.subscribe(options)).close();
    await messaging.subscribe({ ...options, priorities: 'separate-queues' });
    await publish(1);
    await publish(2, 'high');
    await messaging.settled();
    expect(seen.toSorted((one, other) => one - other)).toEqual([1, 2]);
  });

  test('travel as AMQP priority: what a quorum queue of RabbitMQ 4 serves first is above 4', async () => {
    const connection = await connect(bench.vhost.amqpUrl);
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, `priority-${serial}`, '#');
    for (const priority of ['low', 'normal', 'high'] as const) await publish(1, priority);
    await publish(1);
    const got: unknown[] = [];
    await channel.consume(queue, (message) => void got.push(message?.properties.priority), { noAck: true });
    await eventually(() => got.length === 4);
    expect(got).toEqual([1, 4, 9, undefined]);
    await connection.close();
  });
});
