import { eventually } from '@keelson/testing';
import { messageParked } from '@keelson/contracts';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'amqplib';
import {
  Messaging,
  NonRetryableError,
  parkingLot,
  ThrottledError,
  TopologyMismatchError,
  type Received,
} from '../src/index.ts';
import { orderPlaced, orderShipped } from './messages.ts';
import { Workbench } from './service.ts';

const payload = { orderId: 'o', amount: 1 };
const quick = { quickDelaysMs: [], firstDelayMs: 100, maxDelayMs: 1_000 };

describe('a subscription', () => {
  let bench: Workbench;
  let messaging: Messaging;
  let serial = 0;
  const freshQueue = () => `test.queue-${(serial += 1)}`;
  beforeEach(async () => {
    bench ??= await Workbench.open();
    messaging = await bench.messaging({ exchange: `exchange-${(serial += 1)}` });
  });
  afterEach(() => messaging.close(500));
  afterAll(() => bench.close());

  const queues = () =>
    bench.vhost.management(`/api/queues/${bench.vhost.vhost}`) as Promise<
      { name: string; arguments: Record<string, unknown>; consumers: number }[]
    >;

  /** Publishes past the library, as a foreign program would. */
  const raw = async (
    queue: string,
    body: string,
    options: { headers?: Record<string, unknown>; messageId?: string } = {},
  ) => {
    const connection = await connect(bench.vhost.amqpUrl);
    const channel = await connection.createConfirmChannel();
    channel.sendToQueue(queue, Buffer.from(body), options);
    await channel.waitForConfirms();
    await connection.close();
  };

  const event = (type: string, id = 'raw-1') => ({
    messageId: id,
    headers: { 'cloudEvents:type': type, 'cloudEvents:id': id },
  });

  test('declares a quorum queue with its parking lot, at-least-once dead-lettering and limits', async () => {
    const queue = freshQueue();
    await messaging.subscribe({ queue, messages: [orderPlaced], handler: async () => undefined });
    const all = await queues();
    expect(all.find((found) => found.name === queue)?.arguments).toEqual({
      'x-queue-type': 'quorum',
      'x-delivery-limit': 50,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': `${queue}.parked`,
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
      'x-max-length': 1_000_000,
    });
    expect(all.some((found) => found.name === `${queue}.parked`)).toBe(true);
  });

  test('tells several messages on one queue apart by name', async () => {
    const seen: string[] = [];
    await messaging.subscribe({
      queue: freshQueue(),
      messages: [orderPlaced, orderShipped],
      handler: async (message) => {
        if (message.name === 'test.placed') seen.push(`placed ${message.payload.amount}`);
        else seen.push(`shipped ${message.payload.orderId}`);
      },
    });
    await messaging.publish(orderPlaced, payload);
    await messaging.publish(orderShipped, { orderId: 's' });
    await messaging.settled();
    expect(seen.sort()).toEqual(['placed 1', 'shipped s']);
  });

  test('runs no more handlers at once than its concurrency', async () => {
    let running = 0;
    let most = 0;
    await messaging.subscribe({
      queue: freshQueue(),
      messages: [orderPlaced],
      concurrency: 3,
      prefetch: 50,
      handler: async () => {
        most = Math.max(most, (running += 1));
        await pause(5);
        running -= 1;
      },
    });
    await Promise.all(Array.from({ length: 40 }, () => messaging.publish(orderPlaced, payload)));
    await messaging.settled();
    expect(most).toBe(3);
  });

  test('tries a failing message again with growing delays, counting attempts, until it succeeds', async () => {
    const seen: { attempt: number; at: number; key: string }[] = [];
    await messaging.subscribe({
      queue: freshQueue(),
      messages: [orderPlaced],
      retry: quick,
      handler: async (message, { attempt }) => {
        seen.push({ attempt, at: performance.now(), key: message.routingKey });
        if (attempt < 4) throw new Error('not yet');
      },
    });
    await messaging.publish(orderPlaced, payload, { id: 'same' });
    await eventually(() => seen.length === 4);
    await messaging.settled();
    expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    expect(seen.every(({ key }) => key === 'test.placed.v1')).toBe(true);
    const gaps = seen.slice(1).map(({ at }, index) => at - (seen[index]?.at ?? 0));
    // 100, 200, 400 ms; jitter only lengthens, and a timer of the broker may be a little early.
    [95, 190, 390].forEach((least, index) => expect(gaps[index]).toBeGreaterThan(least));
  });

  test('parks a message whose attempts are used up, with the reason, and announces it', async () => {
    const queue = freshQueue();
    const announced: Received<typeof messageParked>[] = [];
    await messaging.subscribe({
      queue: freshQueue(),
      messages: [messageParked],
      handler: async (message) => void announced.push(message),
    });
    await messaging.subscribe({
      queue,
      messages: [orderPlaced],
      retry: { ...quick, attempts: 2 },
      handler: async () => {
        throw new Error('warehouse on fire');
      },
    });
    await messaging.publish(orderPlaced, payload, { id: 'burning' });
    await eventually(() => announced.length === 1);
    expect(announced[0]?.payload).toMatchObject({
      service: 'test',
      queue,
      messageId: 'burning',
      type: orderPlaced.type,
      code: 'attempts-exhausted',
      attempts: 2,
    });
    const parked = await parkingLot.peek(messaging, queue, 'burning');
    expect(parked).toMatchObject({
      id: 'burning',
      code: 'attempts-exhausted',
      reason: 'warehouse on fire',
      attempts: 2,
      routingKey: 'test.placed.v1',
      exchange: expect.stringMatching(/^exchange-/),
      stack: expect.stringContaining('consume.spec'),
      body: JSON.stringify(payload),
    });
  });

  const faults = [
    {
      name: 'an unknown version',
      body: '{}',
      options: event('dev.keelson.test.placed.v9'),
      code: 'unknown-message',
      reason: /type dev.keelson.test.placed.v9 is not handled by/,
    },
    {
      name: 'a body that is not JSON',
      body: '{oops',
      options: event(orderPlaced.type),
      code: 'malformed',
      reason: /not JSON/,
    },
    {
      name: 'a payload that fails its schema',
      body: '{"orderId":1}',
      options: event(orderPlaced.type),
      code: 'invalid-payload',
      reason: /orderId: .*amount: /,
    },
    {
      name: 'no CloudEvents attributes',
      body: '{}',
      options: {},
      code: 'not-cloudevents',
      reason: /cloudEvents:id is missing/,
    },
  ];
  test.each(faults)(
    'parks at once a message with $name, without calling the handler',
    async ({ body, options, code, reason }) => {
      const queue = freshQueue();
      let called = 0;
      await messaging.subscribe({ queue, messages: [orderPlaced], handler: async () => void (called += 1) });
      await raw(queue, body, options);
      const [parked] = await eventually(async () => {
        const found = await parkingLot.list(messaging, queue);
        return found.length > 0 ? found : undefined;
      });
      expect(parked).toMatchObject({ code, reason: expect.stringMatching(reason), attempts: 1 });
      expect(called).toBe(0);
    },
  );

  test('parks at once what the handler calls non-retryable, under its code', async () => {
    const queue = freshQueue();
    let called = 0;
    await messaging.subscribe({
      queue,
      messages: [orderPlaced],
      handler: async () => {
        called += 1;
        throw new NonRetryableError('no such customer', { code: 'unknown-customer' });
      },
    });
    await messaging.publish(orderPlaced, payload);
    await eventually(async () => (await parkingLot.list(messaging, queue, { code: 'unknown-customer' })).length === 1);
    expect(called).toBe(1);
  });

  test('waits as long as a throttled dependency asks, without using up attempts', async () => {
    const attempts: number[] = [];
    await messaging.subscribe({
      queue: freshQueue(),
      messages: [orderPlaced],
      retry: { ...quick, attempts: 1 },
      handler: async (_message, { attempt }) => {
        attempts.push(attempt);
        if (attempts.length < 3) throw new ThrottledError('slow down', 100);
      },
    });
    await messaging.publish(orderPlaced, payload);
    await eventually(() => attempts.length === 3);
    expect(attempts).toEqual([1, 1, 1]);
  });

  test('aborts a handler that runs past its time limit, and tries again', async () => {
    const signals: AbortSignal[] = [];
    await messaging.subscribe({
      queue: freshQueue(),
      messages: [orderPlaced],
      retry: quick,
      timeoutMs: 100,
      handler: async (_message, { signal, attempt }) => {
        signals.push(signal);
        if (attempt === 1) await new Promise(() => undefined);
      },
    });
    await messaging.publish(orderPlaced, payload);
    await eventually(() => signals.length === 2);
    expect(signals[0]?.aborted).toBe(true);
    expect(String(signals[0]?.reason)).toContain('ran longer than 100 ms');
    await messaging.settled();
  });

  test('is attached again after its queue was deleted by hand', async () => {
    const queue = freshQueue();
    const seen: string[] = [];
    await messaging.subscribe({
      queue,
      messages: [orderPlaced],
      handler: async (message) => void seen.push(message.id),
    });
    await bench.vhost.management(`/api/queues/${bench.vhost.vhost}/${queue}`, { method: 'DELETE' });
    await eventually(() => messaging.publish(orderPlaced, payload, { id: 'after' }).then(() => true));
    await eventually(() => seen.includes('after'));
    expect(messaging.health().healthy).toBe(true);
  });

  test('whose queue was declared otherwise fails with both sides named and the way out', async () => {
    const queue = freshQueue();
    const connection = await connect(bench.vhost.amqpUrl);
    const channel = await connection.createChannel();
    await channel.assertQueue(queue, { durable: true });
    await connection.close();
    const attempt = messaging.subscribe({ queue, messages: [orderPlaced], handler: async () => undefined });
    await expect(attempt).rejects.toThrow(TopologyMismatchError);
    await expect(attempt).rejects.toThrow(
      new RegExp(
        `queue ${queue}: x-dead-letter-exchange none -> "" .*, migrate with "keelson messages apply --migrate ${queue}".*` +
          `the queue "${queue}" has x-dead-letter-exchange none, this program needs ""`,
      ),
    );
    expect(messaging.health().consumers).toEqual([]);
  });

  test('closes in order: takes no more, lets running handlers end, gives back what has not begun', async () => {
    const queue = freshQueue();
    let begun = 0;
    let ended = 0;
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const subscription = await messaging.subscribe({
      queue,
      messages: [orderPlaced],
      concurrency: 2,
      prefetch: 10,
      handler: async () => {
        begun += 1;
        await gate;
        ended += 1;
      },
    });
    await Promise.all(Array.from({ length: 10 }, () => messaging.publish(orderPlaced, payload)));
    await eventually(() => begun === 2);
    const closing = subscription.close();
    release();
    await closing;
    expect([begun, ended]).toEqual([2, 2]);
    const other = await bench.messaging({ exchange: 'other' });
    const seen: string[] = [];
    await other.subscribe({ queue, messages: [orderPlaced], handler: async (message) => void seen.push(message.id) });
    await eventually(() => seen.length === 8);
    await other.close();
  });
});
