// Runs in a process of its own, on the built libraries. Prints its result as the last line, JSON.
import { defineMessage } from '@keelson/contracts';
import { inboxMigrations, Messaging, outboxMigrations, type SubscribeOptions } from '@keelson/messaging';
import { Database } from '@keelson/persistence';
import { connect, type ChannelModel } from 'amqplib';
import { randomUUID } from 'node:crypto';
import { Session } from 'node:inspector/promises';
import { z } from 'zod';

const WINDOWS = [1, 192, 1_000, 3_000] as const;
const PREFETCH = 250;
/** Raw and ours take turns, and the better one of each counts: what else the machine does then disturbs both less. */
const ROUNDS = 2;
/** Half a second each, of which the middle one counts: a round of either varies by a fifth. */
const CONSUME_ROUNDS = 5;
const EXCHANGE = 'bench.events';
const url = process.env['BENCH_AMQP_URL']!;

const placed = defineMessage({
  name: 'bench.placed',
  version: 1,
  producer: 'bench',
  summary: 'An order of the benchmark',
  schema: z.object({
    orderId: z.uuid(),
    customer: z.string().min(1),
    at: z.iso.datetime(),
    lines: z.array(z.object({ sku: z.string(), quantity: z.number().int().positive() })),
  }),
});
const catalogue = { [placed.routingKey]: placed };
const payload = () => ({
  orderId: randomUUID(),
  customer: 'c-1840281',
  at: '2026-01-01T12:00:00.000Z',
  lines: [
    { sku: 'shoe-42-brown', quantity: 1 },
    { sku: 'laces-120', quantity: 2 },
  ],
});
const body = () => Buffer.from(JSON.stringify(payload()));

/** So many at a time of what `send` starts; messages per second. */
async function rate(count: number, window: number, send: () => Promise<void>): Promise<number> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await send();
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: window }, lane));
  return count / ((performance.now() - started) / 1_000);
}

/** What a message has of ours, for one of raw amqplib: the broker's work is then the same. */
const properties = () => {
  const id = randomUUID();
  return {
    persistent: true,
    mandatory: true,
    contentType: 'application/json',
    type: placed.type,
    messageId: id,
    timestamp: Math.floor(Date.now() / 1_000),
    headers: {
      'cloudEvents:specversion': '1.0',
      'cloudEvents:id': id,
      'cloudEvents:source': 'bench',
      'cloudEvents:type': placed.type,
      'cloudEvents:time': '2026-01-01T12:00:00.000Z',
    },
  };
};

/** The same message with callbacks, as one who wants speed writes it on amqplib. */
async function rawPublishRate(model: ChannelModel, count: number, window: number): Promise<number> {
  const channel = await model.createConfirmChannel();
  const started = performance.now();
  await new Promise<void>((resolve, reject) => {
    let sent = 0;
    let confirmed = 0;
    const next = (): void => {
      if (sent >= count) return;
      sent += 1;
      channel.publish(EXCHANGE, placed.routingKey, body(), properties(), (error) => {
        if (error !== null) return reject(error as Error);
        confirmed += 1;
        if (confirmed === count) resolve();
        next();
      });
    };
    for (let n = 0; n < window; n += 1) next();
  });
  const seconds = (performance.now() - started) / 1_000;
  await channel.close();
  return count / seconds;
}

async function publishing(model: ChannelModel, type: 'quorum' | 'classic', window: number): Promise<[number, number]> {
  const channel = await model.createChannel();
  const queue = `bench.publish-${type}`;
  await channel.assertExchange(EXCHANGE, 'topic', { durable: true });
  const messaging = await Messaging.connect({ url, service: 'bench', catalogue, exchange: EXCHANGE, window });
  let [ours, raw] = [0, 0];
  const count = window === 1 ? 1_000 : 15_000;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const one of ['raw', 'ours'] as const) {
      await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': type } });
      await channel.bindQueue(queue, EXCHANGE, placed.routingKey);
      if (one === 'raw') raw = Math.max(raw, await rawPublishRate(model, count, window));
      else ours = Math.max(ours, await rate(count, window, () => messaging.publish(placed, payload())));
      await channel.deleteQueue(queue);
    }
  }
  await messaging.close();
  await channel.close();
  return [ours, raw];
}

async function rawConsumeRate(model: ChannelModel, queue: string, count: number): Promise<number> {
  const channel = await model.createChannel();
  await channel.prefetch(PREFETCH);
  let seen = 0;
  const started = performance.now();
  await new Promise<void>((resolve) => {
    void channel.consume(queue, (message) => {
      channel.ack(message!);
      if ((seen += 1) >= count) resolve();
    });
  });
  const seconds = (performance.now() - started) / 1_000;
  await channel.close();
  return count / seconds;
}

/** Fills the queue of a subscription that is not consumed, consumes it as given, and tells messages per second. */
async function consumeRate(
  messaging: Messaging,
  queue: string,
  count: number,
  options: Partial<SubscribeOptions<typeof placed>>,
): Promise<number> {
  let seen = 0;
  let done: () => void = () => undefined;
  const all = new Promise<void>((resolve) => (done = resolve));
  await fill(messaging, queue, count);
  const started = performance.now();
  const subscription = await messaging.subscribe({
    queue,
    messages: [placed],
    concurrency: 100,
    prefetch: PREFETCH,
    ...options,
    handler: async () => {
      if ((seen += 1) >= count) done();
    },
  });
  await all;
  const seconds = (performance.now() - started) / 1_000;
  await subscription.close();
  return count / seconds;
}

/** The same in batches of up to 100, with the inbox. */
async function batchRate(messaging: Messaging, queue: string, count: number): Promise<number> {
  let seen = 0;
  let done: () => void = () => undefined;
  const all = new Promise<void>((resolve) => (done = resolve));
  await fill(messaging, queue, count);
  const started = performance.now();
  const subscription = await messaging.subscribeBatch({
    queue,
    messages: [placed],
    handler: async (messages) => {
      if ((seen += messages.length) >= count) done();
    },
  });
  await all;
  const seconds = (performance.now() - started) / 1_000;
  await subscription.close();
  return count / seconds;
}

async function fill(messaging: Messaging, queue: string, count: number): Promise<void> {
  const declared = await messaging.subscribe({ queue, messages: [placed], handler: async () => undefined });
  await declared.close();
  await rate(count, 1_000, () => messaging.publish(placed, payload()));
}

async function consuming(model: ChannelModel, database: Database): Promise<Record<string, number>> {
  const messaging = await Messaging.connect({ url, service: 'bench', catalogue, exchange: EXCHANGE, database });
  const rates = { raw: [] as number[], plain: [] as number[], inbox: [] as number[], batch: [] as number[] };
  for (let round = 0; round < CONSUME_ROUNDS; round += 1) {
    await fill(messaging, 'bench.consume', 30_000);
    rates.raw.push(await rawConsumeRate(model, 'bench.consume', 30_000));
    rates.plain.push(await consumeRate(messaging, 'bench.consume', 30_000, { inbox: false }));
    rates.inbox.push(await consumeRate(messaging, 'bench.consume', 5_000, { concurrency: 20 }));
    rates.batch.push(await batchRate(messaging, 'bench.consume', 30_000));
  }
  await messaging.close();
  return Object.fromEntries(Object.entries(rates).map(([name, all]) => [name, median(all)]));
}

const median = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)]!;

/** Bytes put on the heap for each message while `work` runs, garbage included, by V8's sampling profiler. */
async function bytesEach(count: number, work: () => Promise<unknown>): Promise<number> {
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.enable');
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: 16_384,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  await work();
  const { profile } = await session.post('HeapProfiler.stopSampling');
  session.disconnect();
  const sum = (node: typeof profile.head): number =>
    node.selfSize + node.children.reduce((total, child) => total + sum(child), 0);
  return sum(profile.head) / count;
}

async function allocation(model: ChannelModel): Promise<Record<string, number>> {
  const channel = await model.createChannel();
  await channel.assertQueue('bench.bytes-raw', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.bindQueue('bench.bytes-raw', EXCHANGE, placed.routingKey);
  const count = 10_000;
  const rawPublish = await bytesEach(count, () => rawPublishRate(model, count, 1_000));
  const rawConsume = await bytesEach(count, () => rawConsumeRate(model, 'bench.bytes-raw', count));
  await channel.deleteQueue('bench.bytes-raw');
  await channel.close();
  const messaging = await Messaging.connect({ url, service: 'bench', catalogue, exchange: EXCHANGE });
  const queue = 'bench.consume';
  // Raw amqplib published to it, too: more messages than are counted would be consumed.
  await model.createChannel().then((other) => other.purgeQueue(queue));
  const publish = await bytesEach(count, () => rate(count, 1_000, () => messaging.publish(placed, payload())));
  let seen = 0;
  const consume = await bytesEach(count, async () => {
    await new Promise<void>((resolve) => {
      const handler = async (): Promise<void> => void ((seen += 1) >= count && resolve());
      void messaging.subscribe({ queue, messages: [placed], concurrency: 100, prefetch: PREFETCH, handler });
    });
  });
  await messaging.close();
  return { publish, consume, rawPublish, rawConsume };
}

const only = process.env['BENCH_ONLY'];
const model = await connect(url, { noDelay: true });
const published: Record<string, [number, number]> = {};
for (const type of only === undefined || only === 'publish' ? (['quorum', 'classic'] as const) : []) {
  for (const window of WINDOWS) published[`${type}-${window}`] = await publishing(model, type, window);
}
const database = await Database.open({
  url: process.env['BENCH_DATABASE_URL']!,
  name: 'bench',
  migrations: [...outboxMigrations, ...inboxMigrations],
  poolSize: 24,
});
const consumed = await consuming(model, database);
const bytes = await allocation(model);
await database.close();
await model.close();
process.stdout.write(`${JSON.stringify({ published, consumed, bytes })}\n`);
