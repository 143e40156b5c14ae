import { eventually, tcpProxy } from '@keelson/testing';
import { Database } from '@keelson/persistence';
import { InvalidMessageError, Messaging, outbox, outboxAll, outboxMigrations, type Received } from '../src/index.ts';
import { orderPlaced, orderShipped } from './messages.ts';
import { memoryLog, Workbench } from './service.ts';

describe('the outbox', () => {
  let bench: Workbench;
  let database: Database;
  let serial = 0;
  const open: Messaging[] = [];
  const connect = async (exchange: string, options = {}) => {
    const messaging = await bench.messaging({ exchange, database, ...options });
    open.push(messaging);
    return messaging;
  };
  beforeAll(async () => {
    bench = await Workbench.open();
    database = await bench.database();
  });
  beforeEach(() => database.execute('truncate outbox, outbox_deferred'));
  afterEach(async () => void (await Promise.all(open.splice(0).map((messaging) => messaging.close(500)))));
  afterAll(() => bench.close());

  const exchangeName = () => `outbox-${(serial += 1)}`;
  const collect = async (messaging: Messaging, queue: string, inbox = false) => {
    const seen: Received<typeof orderPlaced>[] = [];
    await messaging.subscribe({
      queue,
      messages: [orderPlaced],
      inbox,
      concurrency: 1,
      prefetch: 100,
      handler: async (message) => void seen.push(message),
    });
    return seen;
  };
  const write = (amount: number, aggregate = 'a') =>
    database.transaction((tx) => outbox(tx, orderPlaced, { orderId: aggregate, amount }, { aggregate }));

  test('publishes nothing of a transaction that rolled back', async () => {
    const messaging = await connect(exchangeName());
    const seen = await collect(messaging, 'outbox.rollback');
    await messaging.startOutboxRelay();
    await database
      .transaction(async (tx) => {
        await outbox(tx, orderPlaced, { orderId: 'never', amount: 1 }, { aggregate: 'never' });
        throw new Error('no');
      })
      .catch(() => undefined);
    await write(2);
    await messaging.settled();
    expect(seen.map((message) => message.payload)).toEqual([{ orderId: 'a', amount: 2 }]);
  });

  test('refuses an invalid payload inside of the transaction, where it can still be undone', async () => {
    const wrong = database.transaction((tx) => outbox(tx, orderPlaced, { orderId: 1 } as never, { aggregate: 'a' }));
    await expect(wrong).rejects.toThrow(InvalidMessageError);
  });

  test('keeps the order of each aggregate with three relays side by side, under many writers', async () => {
    const exchange = exchangeName();
    const receiver = await connect(exchange);
    const seen = await collect(receiver, 'outbox.ordered');
    for (let relay = 0; relay < 3; relay += 1) {
      const other = await bench.database(`relay-${relay}`);
      const messaging = await connect(exchange, { database: other });
      await messaging.startOutboxRelay({ batch: 20, pollMs: 50 });
    }
    await Promise.all(
      Array.from({ length: 20 }, async (_, aggregate) => {
        for (let amount = 0; amount < 30; amount += 3) {
          await database.transaction((tx) =>
            outboxAll(
              tx,
              [0, 1, 2].map((offset) => ({
                definition: orderPlaced,
                payload: { orderId: `${aggregate}`, amount: amount + offset },
                aggregate: `${aggregate}`,
              })),
            ),
          );
        }
      }),
    );
    await eventually(() => seen.length >= 600, { withinMs: 90_000 });
    await receiver.settled();
    expect(seen).toHaveLength(600);
    for (let aggregate = 0; aggregate < 20; aggregate += 1) {
      const amounts = seen
        .filter((message) => message.payload.orderId === `${aggregate}`)
        .map((message) => message.payload.amount);
      expect(amounts).toEqual(Array.from({ length: 30 }, (_, amount) => amount));
    }
  });

  test('wakes a relay of another process at once, without waiting for its poll', async () => {
    const exchange = exchangeName();
    const other = await connect(exchange, { database: await bench.database('other') });
    const seen = await collect(other, 'outbox.woken');
    const relay = await other.startOutboxRelay({ pollMs: 60_000 });
    await eventually(() => relay.listening);
    await write(1);
    await eventually(() => seen.length === 1);
  });

  test('keeps a row that no queue takes until one does, while other aggregates go on', async () => {
    const log = memoryLog();
    const messaging = await connect(exchangeName(), { log });
    const seen = await collect(messaging, 'outbox.others');
    const relay = await messaging.startOutboxRelay({ pollMs: 50 });
    await database.transaction((tx) => outbox(tx, orderShipped, { orderId: 's' }, { aggregate: 'shipment' }));
    await eventually(() =>
      log.lines.some(
        (line) => line.message.includes('were refused by the broker') && line['routingKey'] === 'test.shipped.v1',
      ),
    );
    for (let amount = 0; amount < 50; amount += 1) await write(amount, `order-${amount}`);
    await eventually(() => seen.length === 50);
    await eventually(async () => (await relay.lag()).rows === 1);
    const shipped: string[] = [];
    await messaging.subscribe({
      queue: 'outbox.shipped',
      messages: [orderShipped],
      inbox: false,
      handler: async (message) => void shipped.push(message.payload.orderId),
    });
    await eventually(() => shipped.length === 1);
    await messaging.settled();
  });

  test('is not held up by thousands of rows that no queue takes, and brings them in order once one does', async () => {
    const messaging = await connect(exchangeName());
    const seen = await collect(messaging, 'outbox.behind');
    const shipments = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => ({
        definition: orderShipped,
        payload: { orderId: `${from + index}` },
        aggregate: `shipment/${index % 10}`,
      }));
    await database.transaction((tx) => outboxAll(tx, shipments(0, 2_000)));
    await write(1);
    const relay = await messaging.startOutboxRelay({ pollMs: 50 });
    await eventually(() => seen.length === 1);
    await eventually(async () => (await relay.lag()).deferred === 2_000);
    // Written while its aggregate is set aside: it must not overtake.
    await database.transaction((tx) => outboxAll(tx, shipments(2_000, 10)));
    const shipped: number[] = [];
    await messaging.subscribe({
      queue: 'outbox.behind-2',
      messages: [orderShipped],
      inbox: false,
      concurrency: 1,
      handler: async (message) => void shipped.push(Number(message.payload.orderId)),
    });
    await eventually(() => shipped.length === 2_010, { withinMs: 90_000 });
    for (let line = 0; line < 10; line += 1) {
      const numbers = shipped.filter((number) => number % 10 === line);
      expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
    }
    await messaging.settled();
  });

  test('tries a refused row again in time though the clock of the relay was a day ahead when it was refused', async () => {
    const messaging = await connect(exchangeName());
    const relay = await messaging.startOutboxRelay({ pollMs: 100 });
    const now = Date.now;
    try {
      Date.now = () => now() + 86_400_000;
      await write(1);
      await eventually(async () => (await relay.lag()).deferred === 1);
    } finally {
      Date.now = now;
    }
    const seen = await collect(messaging, 'outbox.clock');
    await eventually(() => seen.length === 1);
  });

  test('notes what was confirmed every few seconds, however many rows of one aggregate wait and however slow the broker is', async () => {
    const proxy = await tcpProxy(bench.vhost.amqpUrl);
    const exchange = exchangeName();
    const seen = await collect(await connect(exchange), 'outbox.slow');
    const slow = await connect(exchange, { url: proxy.url(bench.vhost.amqpUrl) });
    await database.transaction((tx) =>
      outboxAll(
        tx,
        Array.from({ length: 400 }, (_, amount) => ({
          definition: orderPlaced,
          payload: { orderId: 'a', amount },
          aggregate: 'a',
        })),
      ),
    );
    proxy.delayAnswers(200);
    const relay = await slow.startOutboxRelay();
    // One after the other they take 80 s: a transaction that long would be ended by the server, and all come again.
    await eventually(async () => (await relay.lag()).rows < 400, { withinMs: 60_000 });
    proxy.delayAnswers(0);
    await eventually(() => seen.length === 400);
    expect(seen.map(({ payload }) => payload.amount)).toEqual(Array.from({ length: 400 }, (_, amount) => amount));
    await slow.close();
    await proxy.close();
  });

  test('lets a message without receivers go when it was written so', async () => {
    const messaging = await connect(exchangeName());
    const relay = await messaging.startOutboxRelay({ pollMs: 50 });
    await database.transaction((tx) =>
      outbox(tx, orderShipped, { orderId: 's' }, { aggregate: 's', mandatory: false }),
    );
    await eventually(async () => (await relay.lag()).rows === 0);
  });

  test('carries the trace of the request that wrote it to the handler', async () => {
    const messaging = await connect(exchangeName());
    const seen = await collect(messaging, 'outbox.traced');
    await messaging.startOutboxRelay();
    const { context, trace, ROOT_CONTEXT } = await import('@opentelemetry/api');
    const { AsyncLocalStorageContextManager } = await import('@opentelemetry/context-async-hooks');
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const active = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: 'b7ad6b7169203331', traceFlags: 1 });
    await context.with(active, () => write(1));
    await eventually(() => seen.length === 1);
    expect(seen[0]?.headers['traceparent']).toContain(traceId);
    context.disable();
  });

  test('is stopped though its database hangs, and leaves no connection open', async () => {
    const proxy = await tcpProxy(bench.databaseUrl);
    const hanging = await Database.open({
      url: proxy.url(bench.databaseUrl),
      name: 'hanging',
      migrations: outboxMigrations,
      log: memoryLog(),
    });
    const messaging = await bench.messaging({ exchange: exchangeName(), database: hanging });
    const relay = await messaging.startOutboxRelay();
    await eventually(() => relay.listening);
    proxy.hang();
    await messaging.close(0);
    await hanging.close();
    await eventually(() => proxy.connections === 0);
    await proxy.close();
  });

  test('tells how far it is behind', async () => {
    const messaging = await connect(exchangeName());
    await write(1);
    await write(2);
    await database.execute(
      "update outbox set created_at = now() - interval '90 seconds' where id = (select min(id) from outbox)",
    );
    const relay = await messaging.startOutboxRelay({ pollMs: 60_000 });
    const lag = await relay.lag();
    expect(lag.rows).toBe(2);
    expect(lag.seconds).toBeGreaterThan(89);
  });
});
