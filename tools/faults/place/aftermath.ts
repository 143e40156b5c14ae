import { eventually, startProcess } from '@keelson/testing';
import { join } from 'node:path';
import pg from 'pg';
import { POISON, withChannel } from '../carry-out/messages.ts';
import type { Place } from './place.ts';

/**
 * Resolves when nothing is under way any more: every order has ended, outbox and queues are empty, parking lots
 * aside, twice in a row.
 */
export async function settled(place: Place, withinMs: number): Promise<void> {
  let quiet = 0;
  let last = '';
  const isQuiet = async (): Promise<boolean> => {
    const waiting = [...(await openOrders(place)), ...(await outboxRows(place)), ...(await queuesWithMessages(place))];
    last = waiting.join(', ');
    quiet = waiting.length === 0 ? quiet + 1 : 0;
    return quiet >= 2;
  };
  try {
    await eventually(isQuiet, { withinMs, everyMs: 500 });
  } catch (error) {
    throw new Error(`not settled ${withinMs / 1000} s after the last fault: ${last || (error as Error).message}`, {
      cause: error,
    });
  }
}

async function openOrders(place: Place): Promise<string[]> {
  const [row] = await query<{ count: number }>(
    place,
    "SELECT count(*)::int AS count FROM orders WHERE status = 'accepted'",
  );
  return row!.count === 0 ? [] : [`${row!.count} orders that have not ended`];
}

async function outboxRows(place: Place): Promise<string[]> {
  const [row] = await query<{ count: number }>(
    place,
    'SELECT ((SELECT count(*) FROM outbox) + (SELECT count(*) FROM outbox_deferred))::int AS count',
  );
  return row!.count === 0 ? [] : [`${row!.count} rows in the outbox`];
}

/** Why orders were compensated, and how many for each reason. */
export async function compensated(place: Place): Promise<{ reason: string; count: number }[]> {
  return query(
    place,
    "SELECT reason, count(*)::int AS count FROM orders WHERE status = 'compensated' GROUP BY reason ORDER BY reason",
  );
}

async function query<Row extends object>(place: Place, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: place.databaseUrl });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Ready and unacknowledged, as the broker itself counts them at this moment. */
async function queuesWithMessages(place: Place): Promise<string[]> {
  const text = await place.broker.nodes[0]!.rabbitmqctl([
    'list_queues',
    '--quiet',
    '--no-table-headers',
    'name',
    'messages',
  ]);
  return text
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([name, count]) => name && !name.endsWith('.parked') && Number(count) > 0)
    .map(([name, count]) => `${count} messages in ${name}`);
}

export interface Parked {
  readonly poison: number;
  /** Real messages that were given up: queue and reason. */
  readonly real: readonly string[];
}

/** What lies in the parking lots, which is left there. */
export async function parked(place: Place): Promise<Parked> {
  const text = await place.broker.nodes[0]!.rabbitmqctl(['list_queues', '--quiet', '--no-table-headers', 'name']);
  const lots = text.split('\n').filter((name) => name.endsWith('.parked'));
  return withChannel(place, async (channel) => {
    let poison = 0;
    const real: string[] = [];
    for (const lot of lots) {
      for (;;) {
        const message = await channel.get(lot, { noAck: false });
        if (message === false) break;
        const { messageId, headers } = message.properties;
        if (String(headers?.['cloudEvents:id'] ?? messageId).startsWith(POISON)) poison += 1;
        else
          real.push(
            `${lot}: ${message.fields.routingKey} ${String(messageId)}: ${String(headers?.['keelson-reason'])}`,
          );
      }
    }
    return { poison, real };
  });
}

/** order-demo's verifier on the database itself, with every id that a customer holds a 202 for. */
export async function verify(place: Place, idsFile: string): Promise<{ ok: boolean; lines: string[] }> {
  const lines: string[] = [];
  const { root } = place.options;
  const verifier = await startProcess({
    name: 'verify',
    command: [join(root, 'node_modules/.bin/node'), join(root, 'apps/order-demo/dist/verify.js')],
    env: {
      DATABASE_URL: place.databaseUrl,
      ...place.paymentEnv,
      EXPECTED_IDS_FILE: idsFile,
      GRACE_SECONDS: '0',
      ORDER_DEADLINE_SECONDS: '86400',
      NODE_OPTIONS: undefined,
    },
    onLine: (line) => lines.push(line),
  });
  const { code } = await verifier.exited;
  return { ok: code === 0, lines };
}
