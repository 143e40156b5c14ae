import type { Tx } from '@keelson/persistence';
import type { Envelope } from '../envelope/encode.ts';
import { CE, type Headers } from '../envelope/headers.ts';
import type { Publisher } from '../publish/publisher.ts';

export interface OutboxRow {
  id: string;
  shard: number;
  aggregate: string;
  message_id: string;
  routing_key: string;
  mandatory: boolean;
  headers: Headers;
  body: string;
}

/**
 * Shards with rows that no other relay holds. Locking shards and not rows is what keeps the order: while one relay
 * has a row of an aggregate, no other can take the next.
 */
const LOCK_SHARDS = `
  with waiting as (select distinct shard from (select shard from outbox order by id limit $1) as oldest)
  select shard from outbox_shard where shard in (select shard from waiting) and shard <> all($3::smallint[])
  order by shard for update skip locked limit $2`;

/** A statement of its own, after the lock: it sees what the last holder of these shards has deleted. */
const READ = `
  select id, shard, aggregate, message_id, routing_key, mandatory, headers, body
  from outbox where shard = any($1::smallint[]) order by id limit $2`;

const DELETE = 'delete from outbox where id = any($1::bigint[])';

export interface BatchResult {
  published: number;
  /** Rows that stay, with the reason of each. */
  failed: { row: OutboxRow; error: Error }[];
  /** The batch was full: there is more. */
  more: boolean;
}

/** Publishes up to `size` rows and deletes those confirmed. The transaction holds their shards meanwhile. */
export async function relayBatch(
  tx: Tx,
  options: {
    publisher: Publisher;
    exchange: string;
    size: number;
    shards: number;
    deadlineMs: number;
    except: readonly number[];
  },
): Promise<BatchResult & { shards: number[] }> {
  const locked = await tx.query<{ shard: number }>(LOCK_SHARDS, [options.size, options.shards, options.except]);
  const shards = locked.map((row) => row.shard);
  if (shards.length === 0) return { published: 0, failed: [], more: false, shards };
  const rows = await tx.query<OutboxRow>(READ, [shards, options.size]);
  const lines = new Map<string, OutboxRow[]>();
  for (const row of rows) {
    const line = lines.get(row.aggregate);
    if (line === undefined) lines.set(row.aggregate, [row]);
    else line.push(row);
  }
  const confirmed: string[] = [];
  const failed: BatchResult['failed'] = [];
  await Promise.all([...lines.values()].map((line) => publishLine(line, options, confirmed, failed)));
  if (confirmed.length > 0) await tx.execute(DELETE, [confirmed]);
  return { published: confirmed.length, failed, more: rows.length === options.size, shards };
}

/** The rows of one aggregate, one after the other: the next leaves when the one before is safe. */
async function publishLine(
  line: readonly OutboxRow[],
  options: { publisher: Publisher; exchange: string; deadlineMs: number },
  confirmed: string[],
  failed: BatchResult['failed'],
): Promise<void> {
  for (const row of line) {
    try {
      await options.publisher.publish(options.exchange, envelopeOf(row), {
        mandatory: row.mandatory,
        deadlineMs: options.deadlineMs,
      });
      confirmed.push(row.id);
    } catch (error) {
      failed.push({ row, error: error as Error });
      return;
    }
  }
}

const envelopeOf = (row: OutboxRow): Envelope => ({
  id: row.message_id,
  routingKey: row.routing_key,
  body: Buffer.from(row.body),
  headers: row.headers,
  timestamp: Date.parse(String(row.headers[CE.time])),
});
