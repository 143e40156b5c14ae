import { eventually, type PaymentMode, startPaymentProvider } from '@keelson/testing';
import pg from 'pg';
import { against, type Figure } from '../figures.ts';
import { generate, type Load } from '../load.ts';
import { Place } from '../place.ts';

const RATE = 30;
const SECONDS = 5;
const SLOW_SMS_MS = 400;
const FAILING_SMS_RATE = 0.3;

/** Answers of one load, how many of its orders were confirmed in the end, and how long that took, in ms. */
interface Run {
  load: Load;
  confirmed: number;
  confirmedMs: { p50: number; p99: number };
}

/**
 * The same orders at the same rate, answered once they are accepted (the queue does the rest) and answered once they are
 * confirmed: with everything quick, with an SMS provider that takes its time, with one that refuses a share of what it is
 * given, and with a payment provider that is down meanwhile. One process plays every role.
 */
export async function syncVsAsync(root: string): Promise<Figure[]> {
  const place = await new Place(root).start();
  const payment = await startPaymentProvider();
  try {
    const service = async (name: string, sms: Record<string, string> = {}) => {
      const databaseUrl = await place.postgres.createDatabase({ name: `bench_${name}` });
      // Its queues are shared by name, so the one before has to be done.
      const running = await place.service('order-demo', {
        ROLE: 'all',
        DATABASE_URL: databaseUrl,
        ...sms,
        PAYMENT_URL: payment.url,
        PAYMENT_TOKEN: payment.token,
      });
      /** With the payment provider as it is asked for during the load, and itself again afterwards. */
      const load = async (mode: 'sync' | 'async', provider: PaymentMode = 'normal'): Promise<Run> => {
        const before = await endedAt(databaseUrl);
        await payment.behave({ mode: provider, delayMs: 0 });
        const result = await generate(root, {
          url: running.url!,
          token: place.token,
          rate: RATE,
          seconds: SECONDS,
          more: [`--mode=${mode}`],
        });
        await payment.behave({ mode: 'normal', delayMs: 0 });
        return { load: result, ...(await confirmed(databaseUrl, before)) };
      };
      return { load, stop: () => running.stop() };
    };

    const quick = await service('quick');
    await quick.load('async'); // warm-up
    await quick.load('sync');
    const [quickAsync, quickSync] = [await quick.load('async'), await quick.load('sync')];
    const [brokenSync, brokenAsync] = [await quick.load('sync', 'down'), await quick.load('async', 'down')];
    await quick.stop();
    const slow = await service('slow', { SMS_LATENCY_MS: String(SLOW_SMS_MS) });
    const [slowSync, slowAsync] = [await slow.load('sync'), await slow.load('async')];
    await slow.stop();
    const failing = await service('failing', { SMS_ERROR_RATE: String(FAILING_SMS_RATE) });
    const [failingSync, failingAsync] = [await failing.load('sync'), await failing.load('async')];
    await failing.stop();

    const answers = (name: string, async_: Run, sync: Run): Figure[] => [
      against(`${name}-answer-p50`, async_.load.latencyMs.p50, 'ms', sync.load.latencyMs.p50, 'synchronously, ms'),
      against(`${name}-answer-p99`, async_.load.latencyMs.p99, 'ms', sync.load.latencyMs.p99, 'synchronously, ms'),
      against(`${name}-confirmed-p50`, async_.confirmedMs.p50, 'ms', sync.confirmedMs.p50, 'synchronously, ms'),
    ];
    const share = (what: number, { load }: Run): number => (100 * what) / load.sent;
    const shares = (name: string, async_: number, sync: number): Figure =>
      against(name, async_, '%', sync, 'synchronously, %');
    return [
      ...answers('quick', quickAsync, quickSync),
      ...answers('slow-sms', slowAsync, slowSync),
      { name: 'slow-sms-confirmed-p99', value: slowAsync.confirmedMs.p99, unit: 'ms' },
      shares(
        'failing-sms-confirmed',
        share(failingAsync.confirmed, failingAsync),
        share(failingSync.confirmed, failingSync),
      ),
      { name: 'failing-sms-confirmed-p99', value: failingAsync.confirmedMs.p99, unit: 'ms' },
      {
        name: 'payment-down-accepted',
        value: share(brokenAsync.load.accepted, brokenAsync),
        unit: '%',
        // No ratio: it may be none at all.
        reference: share(brokenSync.load.accepted, brokenSync),
        against: 'synchronously, %',
      },
    ];
  } finally {
    await place.stop();
    await payment.stop();
  }
}

async function endedAt(databaseUrl: string): Promise<Date> {
  const [row] = await query<{ now: Date }>(databaseUrl, 'SELECT clock_timestamp() AS now');
  return row!.now;
}

/** Waits until every order has ended; then the confirmed ones of those accepted since, and the time that took. */
async function confirmed(databaseUrl: string, since: Date): Promise<Omit<Run, 'load'>> {
  await eventually(
    async () => (await query(databaseUrl, "SELECT 1 FROM orders WHERE status = 'accepted' LIMIT 1")).length === 0,
    { withinMs: 300_000, everyMs: 200, describe: 'every order has ended' },
  );
  const [row] = await query<{ confirmed: number; p50: number; p99: number }>(
    databaseUrl,
    `SELECT count(*)::int AS confirmed,
            coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms), 0)::float8 AS p50,
            coalesce(percentile_cont(0.99) WITHIN GROUP (ORDER BY ms), 0)::float8 AS p99
       FROM (SELECT extract(epoch FROM ended_at - accepted_at) * 1000 AS ms
               FROM orders WHERE status = 'confirmed' AND accepted_at >= $1) AS t`,
    [since],
  );
  const { confirmed: count, ...confirmedMs } = row!;
  return { confirmed: count, confirmedMs };
}

async function query<Row extends object>(url: string, sql: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}
