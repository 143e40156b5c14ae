// Runs in a process of its own, on the built libraries. Prints its result as the last line, JSON.
import { catalogue, orderConfirmed } from '@keelson/contracts';
import { inboxMigrations, Messaging, outbox, outboxMigrations } from '@keelson/messaging';
import { Database } from '@keelson/persistence';
import { connect } from 'amqplib';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

const ROWS = 20_000;
const WINDOW = 1_000;
const url = process.env['BENCH_AMQP_URL']!;

/** Persistent messages of the same size into a quorum queue, so many unconfirmed at a time. */
async function rawRate(): Promise<number> {
  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue('raw', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  const body = Buffer.from(JSON.stringify({ orderId: randomUUID(), at: new Date().toISOString() }));
  let inFlight = 0;
  let wake: () => void = () => undefined;
  const started = performance.now();
  for (let n = 0; n < ROWS; n += 1) {
    while (inFlight >= WINDOW) await new Promise<void>((resolve) => (wake = resolve));
    inFlight += 1;
    channel.sendToQueue('raw', body, { persistent: true, mandatory: true, messageId: randomUUID() }, () => {
      inFlight -= 1;
      wake();
    });
  }
  await channel.waitForConfirms();
  const rate = ROWS / ((performance.now() - started) / 1000);
  await channel.deleteQueue('raw');
  await connection.close();
  return rate;
}

const raw = await rawRate();
const database = await Database.open({
  url: process.env['BENCH_DATABASE_URL']!,
  name: 'bench',
  migrations: [...outboxMigrations, ...inboxMigrations],
});
const messaging = await Messaging.connect({ url, service: 'bench', catalogue, database });
const latencies: number[] = [];
let received = 0;
let measuring = false;
await messaging.subscribe({
  queue: 'bench.orders',
  messages: [orderConfirmed],
  inbox: false,
  concurrency: 200,
  prefetch: 500,
  handler: async ({ payload }) => {
    received += 1;
    if (measuring) latencies.push(performance.timeOrigin + performance.now() - Number(payload.orderId.slice(-12)));
  },
});

for (let n = 0; n < ROWS; n += 1_000) {
  await database.transaction(async (tx) => {
    for (let i = 0; i < 1_000; i += 1) {
      await outbox(
        tx,
        orderConfirmed,
        { orderId: randomUUID(), at: new Date().toISOString() },
        { aggregate: String((n + i) % 500) },
      );
    }
  });
}
const started = performance.now();
const relay = await messaging.startOutboxRelay();
while (received < ROWS) await pause(5);
const published = ROWS / ((performance.now() - started) / 1000);

measuring = true;
for (let n = 0; n < 600; n += 1) {
  await database.transaction((tx) => {
    // The time of commit travels in the last twelve digits of the id.
    const at = String(Math.round(performance.timeOrigin + performance.now()))
      .slice(-12)
      .padStart(12, '0');
    return outbox(
      tx,
      orderConfirmed,
      { orderId: `00000000-0000-4000-8000-${at}`, at: new Date().toISOString() },
      { aggregate: String(n % 50) },
    );
  });
  await pause(5);
}
while (received < ROWS + 600) await pause(5);
// Only the last twelve digits of the clock were sent.
const base = Number(String(Math.round(performance.timeOrigin + performance.now())).slice(0, -12) || '0') * 1e12;
const sorted = latencies.map((value) => value - base).toSorted((a, b) => a - b);
const at = (share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
await relay.stop();
await messaging.close();
await database.close();
process.stdout.write(
  `${JSON.stringify({ rawPerSecond: raw, publishedPerSecond: published, latencyMs: { p50: at(0.5), p99: at(0.99) } })}\n`,
);
