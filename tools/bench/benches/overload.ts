import { tcpProxy } from '@keelson/testing';
import { against, type Figure } from '../figures.ts';
import { generate, type Load } from '../load.ts';
import { Place } from '../place.ts';

/** A database that answers late and small batches: the generator on the same processors can send ten times as much. */
const DATABASE_DELAY_MS = 50;
const BATCH = 2;

/**
 * Ten times as many orders as one api process can accept: how many it accepts then, how long those wait, and what it
 * does right afterwards. Its capacity is made small, so that both sides have processors to spare: it is the door that is
 * measured, not the machine.
 */
export async function overload(root: string): Promise<Figure[]> {
  const place = await new Place(root).start();
  const databaseUrl = await place.postgres.createDatabase({ name: 'bench_overload' });
  const proxy = await tcpProxy(databaseUrl);
  try {
    const service = await place.service(
      'order-demo',
      {
        ROLE: 'api',
        SEED_STOCK: '100000000',
        OUTBOX_RELAY: 'false',
        ACCEPT_MAX_BATCH: String(BATCH),
        DATABASE_URL: proxy.url(databaseUrl),
      },
      ['--role=api'],
    );
    proxy.delayAnswers(DATABASE_DELAY_MS);
    const load = (rate: number, seconds: number): Promise<Load> =>
      generate(root, {
        url: service.url!,
        token: place.token,
        rate,
        seconds,
        more: ['--connections=1000', '--max-in-flight=20000'],
      });
    await load(20, 2); // warm-up
    const capacity = (await load(150, 4)).acceptedPerSecond;
    const calm = await load(capacity * 0.7, 6);
    const ten = await load(capacity * 10, 8);
    const after = await load(capacity * 0.7, 3);
    await service.stop();
    return [
      against('overload-accepted', ten.acceptedPerSecond, 'orders/s', capacity, 'what it accepts at most, orders/s'),
      { name: 'overload-refused', value: ten.refused / ten.elapsedSeconds, unit: '429/s' },
      { name: 'overload-failed', value: ten.failed + ten.dropped, unit: 'requests' },
      against('overload-p50', ten.latencyMs.p50, 'ms', calm.latencyMs.p50, 'p50 at 70 % of what it can, ms'),
      against('overload-p99', ten.latencyMs.p99, 'ms', calm.latencyMs.p99, 'p99 at 70 % of what it can, ms'),
      { name: 'overload-after-refused', value: after.refused, unit: '429' },
      against('overload-after-p99', after.latencyMs.p99, 'ms', calm.latencyMs.p99, 'p99 at 70 % before, ms'),
    ];
  } finally {
    await place.stop();
    await proxy.close();
  }
}
