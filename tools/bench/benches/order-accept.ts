import { ensurePart } from '@keelson/testing';
import { against, type Figure } from '../figures.ts';
import { oneInsert } from '../one-insert.ts';
import { Place } from '../place.ts';
import { saturate, skusOf } from '../wrk.ts';

/** Customers who each wait for their answer: enough that the next batch is full when one is written. */
const CONNECTIONS = 192;

/**
 * Orders accepted a second by one api process while every request waits for its durable commit: the most that wrk gets,
 * whose customers wait for each other's batches; and the highest arrival rate that is kept up with in an open model, in
 * which nobody waits for anybody and batches are small. At 70 % of the latter the latency, counted from when an order was
 * due. The outbox is written in the same commit. Another process relays it as a rule, so all is measured a second time,
 * with the relay in the same process and the broker on the same processors.
 */
export async function orderAccept(root: string): Promise<Figure[]> {
  await ensurePart('wrk', { report: (text) => process.stderr.write(`${text}\n`) });
  const place = await new Place(root).start();
  try {
    const before = await oneInsert(place.postgres.adminUrl, 16, 5);
    const alone = await measure(place, { relay: false });
    const between = await oneInsert(place.postgres.adminUrl, 16, 5);
    const relaying = await measure(place, { relay: true });
    // Before and after: the machine drifts.
    const reference = (before.perSecond + between.perSecond) / 2;
    const disk = (before.p99 + between.p99) / 2;
    return [
      against('order-accept', alone.best, 'orders/s', reference, 'one-insert transactions/s, 16 connections'),
      { name: 'order-accept-open', value: alone.sustained, unit: 'orders/s' },
      { name: 'order-accept-p50-70', value: alone.calm.latencyMs.p50, unit: 'ms' },
      against('order-accept-p99-70', alone.calm.latencyMs.p99, 'ms', disk, 'ms, p99 of those one-insert transactions'),
      { name: 'order-accept-refused-70', value: alone.calm.refused, unit: 'orders' },
      against(
        'order-accept-relaying',
        relaying.best,
        'orders/s',
        reference,
        'one-insert transactions/s, 16 connections',
      ),
      { name: 'order-accept-relaying-open', value: relaying.sustained, unit: 'orders/s' },
      { name: 'order-accept-relaying-p99-70', value: relaying.calm.latencyMs.p99, unit: 'ms' },
    ];
  } finally {
    await place.stop();
  }
}

interface Calm {
  accepted: number;
  refused: number;
  other: number;
  latencyMs: { p50: number; p99: number };
}

interface Measured {
  best: number;
  sustained: number;
  calm: Calm;
}

async function measure(place: Place, { relay }: { relay: boolean }): Promise<Measured> {
  const { token, folder } = place;
  const service = await place.service(
    'order-demo',
    { ROLE: 'api', SEED_STOCK: '100000000', OUTBOX_RELAY: String(relay) },
    ['--role=api'],
  );
  const url = service.url!;
  const skus = JSON.stringify(await skusOf(url, token));
  const at = (rate: number, seconds: number): Promise<Calm> =>
    place.program<Calm>('tools/bench/open-load.program.ts', {
      BENCH_URL: url,
      BENCH_TOKEN: token,
      BENCH_SKUS: skus,
      BENCH_RATE: String(rate),
      BENCH_SECONDS: String(seconds),
    });
  await at(1_000, 5); // warm-up
  const best = await saturate({ url, token, folder, connections: CONNECTIONS, seconds: 10 });
  let sustained = 0;
  for (let rate = best * 0.3; ; rate *= 1.2) {
    const { accepted, latencyMs } = await at(rate, 4);
    if (accepted < rate * 4 * 0.99 || latencyMs.p50 > 50) break;
    sustained = rate;
  }
  const calm = await at(sustained * 0.7, 10);
  if (calm.other > 0) throw new Error(`at 70 % load ${calm.other} orders were neither accepted nor refused`);
  await service.stop();
  return { best, sustained, calm };
}
