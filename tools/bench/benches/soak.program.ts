// Runs in a process of its own, on the built libraries. Publishes and consumes as fast as it goes for BENCH_SECONDS;
// prints its result as the last line, JSON.
import { catalogue, orderPaid } from '@keelson/contracts';
import { Messaging } from '@keelson/messaging';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

const seconds = Number(process.env['BENCH_SECONDS']);
const LANES = 1_000;
/** Published and not yet consumed: more would only show how long a queue may be. */
const AHEAD = 20_000;

const messaging = await Messaging.connect({ url: process.env['BENCH_AMQP_URL']!, service: 'order-demo', catalogue });
let published = 0;
let consumed = 0;
await messaging.subscribe({
  queue: 'bench.soak',
  messages: [orderPaid],
  concurrency: 100,
  prefetch: 250,
  handler: async () => void (consumed += 1),
});
const begun = performance.now();
const elapsed = (): number => (performance.now() - begun) / 1_000;
const lane = async (): Promise<void> => {
  while (elapsed() < seconds) {
    while (published - consumed > AHEAD && elapsed() < seconds) await pause(5);
    const order = { orderId: randomUUID(), documentNumber: 'SO-2026-1', customer: 'c-1', phone: '+4915112345678' };
    published += 1;
    try {
      await messaging.publish(orderPaid, { ...order, totalCents: 990, at: new Date().toISOString() });
    } catch (cause) {
      const after = `after ${elapsed().toFixed(0)} s, ${published} published and ${consumed} consumed`;
      throw new Error(`a message was not taken ${after}`, { cause });
    }
  }
};
let least = Infinity;
let most = 0;
const samples = setInterval(() => {
  // Code is compiled and the heap has found its size after a tenth of the time.
  if (elapsed() < seconds / 10) return;
  const { rss } = process.memoryUsage();
  least = Math.min(least, rss);
  most = Math.max(most, rss);
}, 100);
await Promise.all(Array.from({ length: LANES }, lane));
const perSecond = consumed / elapsed();
clearInterval(samples);
await messaging.close();
process.stdout.write(`${JSON.stringify({ perSecond, leastBytes: least, mostBytes: most, published })}\n`);
process.exit(0);
