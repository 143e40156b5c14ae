import { eventually, tcpProxy, type TcpProxy } from '@keelson/testing';
import { setTimeout as pause } from 'node:timers/promises';
import {
  BrokerAccessError,
  ClosedError,
  InvalidMessageError,
  MessageTooLargeError,
  Messaging,
  PublishBufferFullError,
  PublishRejectedError,
  PublishUncertainError,
  TopologyMismatchError,
  UnroutableError,
} from '../src/index.ts';
import { catalogue, orderPlaced, orderShipped } from './messages.ts';
import { memoryLog, Workbench } from './service.ts';

const payload = { orderId: 'o', amount: 1 };

describe('publish', () => {
  let bench: Workbench;
  beforeAll(async () => (bench = await Workbench.open()));
  afterAll(() => bench.close());

  /** A bound queue that nobody reads. */
  const queueFor = async (messaging: Messaging, queue: string, limits = {}) => {
    const subscription = await messaging.subscribe({
      queue,
      messages: [orderPlaced],
      handler: async () => undefined,
      limits,
    });
    await subscription.close();
  };

  test('resolves when the broker has stored the message, with CloudEvents attributes as headers', async () => {
    const messaging = await bench.messaging();
    await queueFor(messaging, 'test.stored');
    await messaging.publish(orderPlaced, payload, { key: 'order/o', id: 'id-1', subject: 'o' });
    const [message] = await bench.vhost.management(`/api/queues/${bench.vhost.vhost}/test.stored/get`, {
      method: 'POST',
      body: { count: 1, ackmode: 'ack_requeue_false', encoding: 'auto' },
    });
    expect(JSON.parse(message.payload)).toEqual(payload);
    expect(message.properties).toMatchObject({
      message_id: 'id-1',
      type: 'dev.keelson.test.placed.v1',
      content_type: 'application/json',
      delivery_mode: 2,
      headers: {
        'cloudEvents:specversion': '1.0',
        'cloudEvents:id': 'id-1',
        'cloudEvents:source': 'test',
        'cloudEvents:type': 'dev.keelson.test.placed.v1',
        'cloudEvents:subject': 'o',
        'cloudEvents:partitionkey': 'order/o',
        'cloudEvents:time': expect.stringMatching(/^\d{4}-.*Z$/),
      },
    });
  });

  test('rejects with UnroutableError when no queue takes the message, among others that are taken', async () => {
    const messaging = await bench.messaging();
    await queueFor(messaging, 'test.some');
    const results = await Promise.allSettled(
      Array.from({ length: 200 }, (_, index) =>
        index % 2 === 0 ? messaging.publish(orderPlaced, payload) : messaging.publish(orderShipped, { orderId: 'o' }),
      ),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(100);
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    expect(errors.every((error) => error instanceof UnroutableError)).toBe(true);
    expect(errors[0]).toMatchObject({
      exchange: 'keelson.events',
      routingKey: 'test.shipped.v1',
      hint: expect.stringContaining('no queue is bound'),
    });
  });

  test('takes a missing receiver as fine when told so', async () => {
    const messaging = await bench.messaging();
    await messaging.publish(orderShipped, { orderId: 'o' }, { mandatory: false });
  });

  test('refuses a payload that does not fit its schema, naming each fault, and one that is too large', async () => {
    const messaging = await bench.messaging({ maxMessageBytes: 1_000 });
    const wrong = messaging.publish(orderPlaced, { orderId: 7, amount: 0.5 } as never);
    await expect(wrong).rejects.toThrow(InvalidMessageError);
    await expect(wrong).rejects.toThrow(/orderId: .*amount: /);
    const large = messaging.publish(orderPlaced, { orderId: 'ü'.repeat(500), amount: 1 });
    await expect(large).rejects.toThrow(MessageTooLargeError);
    await expect(large).rejects.toThrow(/has 1025 bytes; allowed are 1000.*send a reference/);
  });

  test('refuses a message that is not in the catalogue', async () => {
    const messaging = await bench.messaging({ catalogue: {} });
    await expect(messaging.publish(orderPlaced, payload)).rejects.toThrow(/test.placed.v1 is not in the catalogue/);
  });

  test('rejects with PublishRejectedError when the queue is full', async () => {
    const messaging = await bench.messaging({ exchange: 'full' });
    await queueFor(messaging, 'test.full', { maxLength: 5 });
    const publish = () =>
      messaging.publish(orderPlaced, payload).then(
        () => 'stored',
        (error: unknown) => error,
      );
    // A quorum queue learns of its length with a delay, so a few more than its limit fit.
    const refused = await eventually(async () => {
      const result = await publish();
      return result === 'stored' ? undefined : result;
    });
    expect(refused).toBeInstanceOf(PublishRejectedError);
  });

  test('keeps many under way at once, but never more than the window', async () => {
    const messaging = await bench.messaging({ window: 50 });
    await queueFor(messaging, 'test.window');
    let most = 0;
    const all = Array.from({ length: 2_000 }, async () => {
      const published = messaging.publish(orderPlaced, payload);
      most = Math.max(most, messaging.health().inFlight);
      await published;
      most = Math.max(most, messaging.health().inFlight);
    });
    await Promise.all(all);
    expect(most).toBe(50);
  });

  test('goes on after the exchange was deleted by hand: it is declared again', async () => {
    const messaging = await bench.messaging({ exchange: 'deleted' });
    await queueFor(messaging, 'test.deleted-exchange');
    await bench.vhost.management(`/api/exchanges/${bench.vhost.vhost}/deleted`, { method: 'DELETE' });
    await expect(messaging.publish(orderPlaced, payload)).rejects.toThrow(PublishUncertainError);
    await queueFor(messaging, 'test.deleted-exchange');
    await messaging.publish(orderPlaced, payload);
  });

  test('to an exchange of another kind fails at connect, with both kinds named and the way out', async () => {
    await bench.vhost.management(`/api/exchanges/${bench.vhost.vhost}/direct-one`, {
      method: 'PUT',
      body: { type: 'direct', durable: true },
    });
    const attempt = bench.messaging({ exchange: 'direct-one' });
    await expect(attempt).rejects.toThrow(TopologyMismatchError);
    await expect(attempt).rejects.toThrow(
      /exchange direct-one: type direct -> topic, .*delete it.*the exchange "direct-one" has type direct, this program needs topic/,
    );
  });

  test('is not confused by a clock that jumps a day back or ahead while messages wait', async () => {
    const messaging = await bench.messaging();
    await queueFor(messaging, 'test.clock');
    const now = Date.now;
    try {
      Date.now = () => now() - 86_400_000;
      await Promise.all(
        Array.from({ length: 50 }, () => messaging.publish(orderPlaced, payload, { deadlineMs: 30_000 })),
      );
      Date.now = () => now() + 86_400_000;
      await Promise.all(
        Array.from({ length: 50 }, () => messaging.publish(orderPlaced, payload, { deadlineMs: 30_000 })),
      );
    } finally {
      Date.now = now;
    }
  });

  test('of many tells what became of each, in order', async () => {
    const messaging = await bench.messaging();
    await queueFor(messaging, 'test.many');
    const results = await messaging.publishMany([
      { definition: orderPlaced, payload },
      { definition: orderPlaced, payload: { orderId: 'o' } as never },
      { definition: orderPlaced, payload },
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('after close rejects with ClosedError, and close flushes what was under way', async () => {
    const messaging = await bench.messaging();
    await queueFor(messaging, 'test.flush');
    const before = Array.from({ length: 500 }, () => messaging.publish(orderPlaced, payload));
    const closing = messaging.close();
    await Promise.all(before);
    await closing;
    await expect(messaging.publish(orderPlaced, payload)).rejects.toThrow(ClosedError);
  });

  test('with wrong credentials or an unknown virtual host fails at connect, without the password in the text', async () => {
    const url = new URL(bench.vhost.amqpUrl);
    url.password = 'guess';
    const options = { service: 'test', catalogue, log: memoryLog() };
    const attempt = Messaging.connect({ ...options, url: url.href });
    await expect(attempt).rejects.toThrow(BrokerAccessError);
    await expect(attempt).rejects.not.toThrow(/guess/);
    const unknown = new URL(bench.vhost.amqpUrl);
    unknown.pathname = '/nowhere';
    await expect(Messaging.connect({ ...options, url: unknown.href })).rejects.toThrow(BrokerAccessError);
  });
});

describe('publish over a network that fails', () => {
  let bench: Workbench;
  let proxy: TcpProxy;
  beforeAll(async () => {
    bench = await Workbench.open();
    proxy = await tcpProxy(bench.vhost.amqpUrl);
    const direct = await bench.messaging();
    await (
      await direct.subscribe({ queue: 'test.proxied', messages: [orderPlaced], handler: async () => undefined })
    ).close();
  });
  afterEach(() => proxy.resume());
  afterAll(async () => {
    await bench.close();
    await proxy.close();
  });

  const through = (options = {}) => bench.messaging({ url: proxy.url(bench.vhost.amqpUrl), ...options });

  test('that is cut: everything under way settles, as stored or as uncertain, and publishing goes on by itself', async () => {
    const messaging = await through();
    const outcomes = { stored: 0, uncertain: 0 };
    const publish = async () => {
      try {
        await messaging.publish(orderPlaced, payload);
        outcomes.stored += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(PublishUncertainError);
        expect(error).toMatchObject({ mayHaveBeenDelivered: true });
        outcomes.uncertain += 1;
      }
    };
    proxy.hangAnswers();
    const all = Array.from({ length: 300 }, publish);
    await eventually(() => messaging.health().inFlight === 300);
    proxy.resume();
    proxy.cut();
    await Promise.all(all);
    expect(outcomes.stored + outcomes.uncertain).toBe(300);
    await messaging.publish(orderPlaced, payload);
  });

  test('that is cut, with onLoss retry: all are sent again under their ids and confirmed', async () => {
    const messaging = await through({ onLoss: 'retry' });
    proxy.hangAnswers();
    const all = Array.from({ length: 100 }, () => messaging.publish(orderPlaced, payload));
    await eventually(() => messaging.health().inFlight === 100);
    proxy.cut();
    proxy.resume();
    await Promise.all(all);
  });

  test('that hangs: a publish settles at its deadline, and again when the heartbeat has found out', async () => {
    const messaging = await through({ heartbeatSeconds: 1 });
    proxy.hang();
    const late = messaging.publish(orderPlaced, payload, { deadlineMs: 300 });
    await expect(late).rejects.toMatchObject({ name: 'PublishUncertainError', mayHaveBeenDelivered: true });
    await eventually(() => messaging.health().publishing.state === 'connecting');
    proxy.cut();
    proxy.resume();
    await messaging.publish(orderPlaced, payload);
  });

  test('that is cut again while the connection is being set up: in the end there is one connection for each purpose', async () => {
    const own = await tcpProxy(bench.vhost.amqpUrl);
    const messaging = await bench.messaging({ url: own.url(bench.vhost.amqpUrl) });
    // start, tune, open-ok, then those of our own set-up.
    own.cutAfter(5);
    own.cut();
    await pause(1_500);
    own.resume();
    await messaging.ready();
    await messaging.publish(orderPlaced, payload);
    // Whatever else is under way would be there after the longest pause between two attempts.
    await pause(6_000);
    expect(own.connections).toBe(2);
    await messaging.close();
    await eventually(() => own.connections === 0);
    await own.close();
  });

  test('to an exchange that became one of another kind waits, on one channel, until that is mended', async () => {
    const options = { exchange: 'changed', service: 'changed', url: proxy.url(bench.vhost.amqpUrl) };
    const messaging = await bench.messaging(options);
    const exchange = `/api/exchanges/${bench.vhost.vhost}/changed`;
    // The broker closes the channel; before we hear of it the exchange is another one.
    await bench.vhost.management(exchange, { method: 'DELETE' });
    proxy.hangAnswers();
    const lost = messaging.publish(orderPlaced, payload, { deadlineMs: 1_000 });
    await expect(lost).rejects.toThrow(PublishUncertainError);
    await bench.vhost.management(exchange, { method: 'PUT', body: { type: 'direct', durable: true } });
    proxy.resume();
    await eventually(() => messaging.health().inFlight === 0);
    const waiting = messaging.publish(orderPlaced, payload, { deadlineMs: 30_000 });
    await expect(waiting).rejects.toThrow(
      /exchange changed: type direct -> topic, .*the exchange "changed" has type direct, this program needs topic/,
    );
    await bench.vhost.management(exchange, { method: 'DELETE' });
    await messaging.publish(orderPlaced, payload, { mandatory: false });
    const channels = async () => {
      const connections = (await bench.vhost.management(`/api/vhosts/${bench.vhost.vhost}/connections`)) as {
        user_provided_name: string;
        channels: number;
      }[];
      return connections.find(({ user_provided_name: name }) => /^changed@.*publish/.test(name))?.channels;
    };
    await eventually(async () => (await channels()) === 3, { describe: 'the three of the pool are left' });
  });

  test('that refuses: waiting messages are bounded, and never sent ones say so at their deadline', async () => {
    const messaging = await through({ waiting: { messages: 3, bytes: 10_000 } });
    proxy.refuse();
    proxy.cut();
    await eventually(() => messaging.health().publishing.state === 'connecting');
    const waiting = Array.from({ length: 3 }, () => messaging.publish(orderPlaced, payload, { deadlineMs: 300 }));
    const rejections = Promise.allSettled(waiting);
    await expect(messaging.publish(orderPlaced, payload)).rejects.toThrow(PublishBufferFullError);
    for (const result of await rejections) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { name: 'PublishUncertainError', mayHaveBeenDelivered: false },
      });
    }
  });
});
