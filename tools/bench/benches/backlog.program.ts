// Runs in a process of its own, on the built libraries; BENCH_TASK says what it does. Prints its result as the last line, JSON.
import { catalogue, EXCHANGE, orderPaid } from '@keelson/contracts';
import { Messaging } from '@keelson/messaging';
import { connect } from 'amqplib';
import { randomUUID } from 'node:crypto';

const url = process.env['BENCH_AMQP_URL']!;
const count = Number(process.env['BENCH_COUNT']);
const queue = process.env['BENCH_QUEUE']!;
const WINDOW = 2_000;
const PREFETCH = 250;

const tasks = { declare, fill, raw, library };
process.stdout.write(`${JSON.stringify(await tasks[process.env['BENCH_TASK'] as keyof typeof tasks]())}\n`);

/** The library's own queue, as its consumers have it. */
async function declare(): Promise<object> {
  const messaging = await Messaging.connect({ url, service: 'order-demo', catalogue });
  const limits = { maxLength: count + 10_000 };
  await (
    await messaging.subscribe({ queue, messages: [orderPaid], limits, inbox: false, handler: async () => undefined })
  ).close();
  await messaging.close();
  return {};
}

/** Publishes so many paid orders: straight into the queue, so many unconfirmed at a time. */
async function fill(): Promise<object> {
  const connection = await connect(url);
  connection.on('blocked', (reason: string) => {
    // Nobody consumes yet: it would last for ever.
    throw new Error(`the broker takes no more than what it has of ${count} messages: ${reason}`);
  });
  const channel = await connection.createConfirmChannel();
  if (queue === 'raw') await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  let unconfirmed = 0;
  let refused = 0;
  let wake: () => void = () => undefined;
  const at = new Date().toISOString();
  for (let n = 0; n < count; n += 1) {
    while (unconfirmed >= WINDOW) await new Promise<void>((resolve) => (wake = resolve));
    unconfirmed += 1;
    const orderId = randomUUID();
    const payload = {
      orderId,
      documentNumber: `SO-2026-${n}`,
      customer: `customer ${n % 1000}`,
      phone: '+4915112345678',
      totalCents: 990,
      at,
    };
    const headers = {
      'cloudEvents:specversion': '1.0',
      'cloudEvents:id': orderId,
      'cloudEvents:source': 'order-demo',
      'cloudEvents:type': orderPaid.type,
      'cloudEvents:time': at,
      'cloudEvents:partitionkey': orderId,
    };
    channel.sendToQueue(
      queue,
      Buffer.from(JSON.stringify(payload)),
      { persistent: true, messageId: orderId, contentType: 'application/json', headers },
      (error) => {
        if (error) refused += 1;
        unconfirmed -= 1;
        wake();
      },
    );
  }
  await channel.waitForConfirms().catch(() => undefined); // what was refused is counted
  await connection.close();
  if (refused > 0) throw new Error(`${queue} refused ${refused} of ${count} messages`);
  return { exchange: EXCHANGE };
}

/** Consumes and acknowledges with amqplib alone. */
async function raw(): Promise<object> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  await channel.prefetch(PREFETCH);
  const begun = performance.now();
  let done = 0;
  await new Promise<void>((resolve, reject) => {
    const consume = channel.consume(queue, (message) => {
      if (message === null) return;
      channel.ack(message);
      if ((done += 1) === count) resolve();
    });
    consume.catch(reject);
  });
  const perSecond = count / ((performance.now() - begun) / 1000);
  await channel.deleteQueue(queue);
  await connection.close();
  return { perSecond };
}

/** The same with the library: validated, no inbox, a handler that does nothing; memory from the first third on. */
async function library(): Promise<object> {
  const messaging = await Messaging.connect({ url, service: 'order-demo', catalogue });
  let done = 0;
  let least = Infinity;
  let most = 0;
  const sample = (): void => {
    if (done < count / 3) return;
    const { rss } = process.memoryUsage();
    least = Math.min(least, rss);
    most = Math.max(most, rss);
  };
  const samples = setInterval(sample, 100);
  const begun = performance.now();
  await new Promise<void>((resolve, reject) => {
    const subscribed = messaging.subscribe({
      queue,
      messages: [orderPaid],
      limits: { maxLength: count + 10_000 },
      inbox: false,
      concurrency: 100,
      prefetch: PREFETCH,
      handler: async () => {
        if ((done += 1) === count) resolve();
      },
    });
    subscribed.catch(reject);
  });
  const perSecond = count / ((performance.now() - begun) / 1000);
  sample();
  clearInterval(samples);
  await messaging.close();
  return { perSecond, leastBytes: least, mostBytes: most };
}
