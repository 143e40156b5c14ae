import { eventually, testRabbitMq, type RabbitMq } from '@keelson/testing';
import { BrokerBlockedError, Messaging, type MessagingOptions } from '../src/index.ts';
import { catalogue, orderPlaced } from './messages.ts';
import { memoryLog } from './service.ts';

const payload = (amount: number) => ({ orderId: 'o', amount });

describe('a broker', () => {
  let broker: RabbitMq;
  const open: Messaging[] = [];
  beforeAll(async () => (broker = await testRabbitMq()), 120_000);
  afterEach(async () => void (await Promise.all(open.splice(0).map((messaging) => messaging.close(500)))));
  afterAll(() => broker.stop());

  const connect = async (options: Partial<MessagingOptions> = {}) => {
    const messaging = await Messaging.connect({
      url: broker.amqpUrl,
      service: 'test',
      catalogue,
      log: memoryLog(),
      ...options,
    });
    open.push(messaging);
    return messaging;
  };

  test('killed with SIGKILL and restarted while thousands are published loses none that was confirmed', async () => {
    const exchange = 'kill';
    const publisher = await connect({ exchange });
    const receiver = await connect({ exchange });
    const received = new Set<number>();
    const subscription = {
      queue: 'faults.kill',
      messages: [orderPlaced],
      concurrency: 50,
      prefetch: 200,
      handler: async (message: { payload: { amount: number } }) => void received.add(message.payload.amount),
    } as const;
    await receiver.subscribe(subscription);
    await broker.queuesKept();
    const confirmed = new Set<number>();
    let uncertain = 0;
    let next = 0;
    const stop = new AbortController();
    const writer = async () => {
      while (!stop.signal.aborted) {
        const amount = (next += 1);
        try {
          await publisher.publish(orderPlaced, payload(amount), { deadlineMs: 30_000 });
          confirmed.add(amount);
        } catch {
          uncertain += 1;
        }
      }
    };
    const writers = Array.from({ length: 200 }, writer);
    try {
      await eventually(() => confirmed.size > 2_000);
      broker.kill('SIGKILL');
      const before = confirmed.size;
      await broker.restart();
      await eventually(() => confirmed.size > before + 2_000, { withinMs: 90_000 });
    } finally {
      // Writers that go on after the connection is closed would never let anything else run.
      stop.abort();
    }
    await Promise.all(writers);
    await eventually(() => [...confirmed].every((amount) => received.has(amount)), { withinMs: 90_000 });
    expect(uncertain).toBeGreaterThan(0);
    // Its other connection comes back when its own pause is over.
    await eventually(() => receiver.health().healthy);
  });

  test('down at start is no error: the program starts, says what it waits for, and works once the broker is there', async () => {
    await broker.queuesKept();
    broker.kill('SIGKILL');
    const log = memoryLog();
    const messaging = await connect({ exchange: 'down', log });
    const seen: number[] = [];
    await messaging.subscribe({
      queue: 'faults.down',
      messages: [orderPlaced],
      handler: async (message) => void seen.push(message.payload.amount),
    });
    expect(messaging.health()).toMatchObject({
      healthy: false,
      publishing: { state: 'connecting' },
      consumers: [{ queue: 'faults.down', state: 'attaching' }],
    });
    expect(log.lines).toContainEqual(
      expect.objectContaining({
        message: 'no connection to RabbitMQ; trying again',
        reason: expect.stringContaining('ECONN'),
      }),
    );
    const restarting = broker.restart();
    await messaging.ready();
    await restarting;
    await eventually(() => messaging.health().healthy);
    await messaging.publish(orderPlaced, payload(7));
    await eventually(() => seen.includes(7));
  });

  test('that blocks publishers lets publish wait until its deadline, stops no consumer, and unblocks by itself', async () => {
    const messaging = await connect({ exchange: 'blocked' });
    const seen: number[] = [];
    const subscription = await messaging.subscribe({
      queue: 'faults.blocked',
      messages: [orderPlaced],
      concurrency: 1,
      handler: async (message) => void seen.push(message.payload.amount),
    });
    await messaging.publish(orderPlaced, payload(1));
    await broker.rabbitmqctl(['set_vm_memory_high_watermark', 'absolute', '1']);
    try {
      // The broker tells a connection only when it publishes.
      await expect(messaging.publish(orderPlaced, payload(2), { deadlineMs: 3_000 })).rejects.toThrow(
        BrokerBlockedError,
      );
      await expect(messaging.publish(orderPlaced, payload(3), { deadlineMs: 300 })).rejects.toMatchObject({
        reason: expect.stringContaining('memory'),
        mayHaveBeenDelivered: false,
      });
      expect(messaging.health()).toMatchObject({
        healthy: false,
        publishing: { state: 'blocked' },
        consuming: { state: 'connected' },
      });
      expect(subscription.state).toBe('attached');
      const waiting = messaging.publish(orderPlaced, payload(4), { deadlineMs: 60_000 });
      await broker.rabbitmqctl(['set_vm_memory_high_watermark', '0.4']);
      await waiting;
      await eventually(() => seen.includes(4));
      // The one told to be uncertain had been written to the socket, and does arrive.
      await eventually(() => seen.includes(2));
      expect(seen).not.toContain(3);
    } finally {
      await broker.rabbitmqctl(['set_vm_memory_high_watermark', '0.4']);
    }
  });
});
