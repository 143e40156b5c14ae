import { eventually } from '@keelson/testing';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { against, type Figure } from '../figures.ts';
import { AS_SHIPPED, Place } from '../place.ts';

const MIB = 2 ** 20;
const program = 'tools/bench/benches/backlog.program.ts';

/**
 * A backlog of paid orders, drained: by amqplib alone, by a consumer of libs/messaging, and by the role coupons of
 * order-demo in batches (inbox, coupons, outbox rows and scheduled expiries in durable commits). Memory is the
 * difference of the highest and lowest resident set of the consumer after its first third.
 */
export async function backlog(root: string, { orders }: { orders: number }): Promise<Figure[]> {
  const place = await new Place(root).start();
  try {
    const task = <T>(name: string, queue: string, count = orders): Promise<T> =>
      place.program<T>(program, {
        BENCH_AMQP_URL: place.rabbit.amqpUrl,
        BENCH_TASK: name,
        BENCH_QUEUE: queue,
        BENCH_COUNT: String(count),
      });
    await task('fill', 'raw');
    const raw = await task<{ perSecond: number }>('raw', 'raw');
    await task('declare', 'bench.backlog');
    await task('fill', 'bench.backlog');
    const library = await task<{ perSecond: number; leastBytes: number; mostBytes: number }>(
      'library',
      'bench.backlog',
    );
    const role = await drainedByRole(place, orders, (count) => task('fill', 'order-demo.coupons', count));
    return [
      against('backlog', library.perSecond, 'orders/s', raw.perSecond, 'amqplib alone, consume and ack'),
      { name: 'backlog-memory', value: (library.mostBytes - library.leastBytes) / MIB, unit: 'MiB' },
      against('backlog-role', role.perSecond, 'orders/s', raw.perSecond, 'amqplib alone, consume and ack'),
      { name: 'backlog-role-memory', value: role.memoryBytes / MIB, unit: 'MiB' },
    ];
  } finally {
    await place.stop();
  }
}

/** The role declares its queue and is stopped; the backlog comes; the role is started again and works it off. */
async function drainedByRole(
  place: Place,
  orders: number,
  fill: (count: number) => Promise<unknown>,
): Promise<{ perSecond: number; memoryBytes: number }> {
  const databaseUrl = await place.postgres.createDatabase({ name: 'bench_backlog' });
  const start = () =>
    place.service(
      'order-demo',
      { ROLE: 'coupons', DATABASE_URL: databaseUrl, OUTBOX_RELAY: 'false', NODE_OPTIONS: AS_SHIPPED },
      ['--role=coupons'],
    );
  await (await start()).stop();
  await fill(orders);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const granted = async (): Promise<number> => {
    const { rows } = await client.query<{ count: number }>('SELECT coalesce(max(id), 0)::int AS count FROM outbox');
    return rows[0]!.count;
  };
  const all = async (): Promise<number> => {
    const { rows } = await client.query<{ count: number }>('SELECT count(*)::int AS count FROM outbox');
    return rows[0]!.count;
  };
  try {
    const role = await start();
    const seen: { at: number; count: number; bytes: number }[] = [];
    await eventually(
      async () => {
        // The newest row's number stands for their count, which would cost the role what is measured; it may skip some.
        const count = await granted();
        if (count >= orders / 3) seen.push({ at: performance.now(), count, bytes: residentBytes(role.pid) });
        return count >= orders && (await all()) >= orders;
      },
      { withinMs: 3_600_000, everyMs: 100, describe: `${orders} coupons granted` },
    );
    const [first, last] = [seen[0]!, seen.at(-1)!];
    const bytes = seen.map((one) => one.bytes);
    return {
      perSecond: (last.count - first.count) / ((last.at - first.at) / 1000),
      memoryBytes: Math.max(...bytes) - Math.min(...bytes),
    };
  } finally {
    await client.end();
  }
}

/** VmRSS of proc(5), which counts in kB of 1,024 bytes. */
function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kilobytes) * 1024;
}
