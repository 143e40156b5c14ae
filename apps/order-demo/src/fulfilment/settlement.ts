import { orderCompensated, orderConfirmed, type OrderStatus } from '@keelson/contracts';
import type { Database, Tx } from '@keelson/persistence';
import { outboxAll, type OutboxEntry } from '@keelson/messaging';
import { counter, histogram, logger } from '@keelson/service-kit';
import { decide, type Needed, type OrderProgress } from './decide.ts';
import { type Ended, endOrders } from './end-orders.ts';

const log = logger('settlement');
const ended = counter({ name: 'order_demo_ended_total', help: 'Orders by how they ended', labelNames: ['outcome'] });
const took = histogram({
  name: 'order_demo_fulfilment_seconds',
  help: 'Time from acceptance to confirmation',
  buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
});

/** Most orders that are ended in one transaction; bounds how long the articles stay locked. */
const BATCH = 200;

interface Row {
  id: string;
  status: OrderStatus;
  accepted_at: Date;
  document_at: Date | null;
  coupon_at: Date | null;
  notified_at: Date | null;
}

const columns = /* sql */ `SELECT o.id, o.status, o.accepted_at, p.document_at, p.coupon_at, p.notified_at`;

// SKIP LOCKED: several inventory processes share the work, and none waits for a cancellation.
const complete = /* sql */ `${columns}
  FROM order_process p JOIN orders o ON o.id = p.order_id
 WHERE NOT p.ended AND p.document_at IS NOT NULL AND p.coupon_at IS NOT NULL AND p.notified_at IS NOT NULL
   AND o.status = 'accepted'
 ORDER BY p.order_id LIMIT $1 FOR UPDATE OF o SKIP LOCKED`;

// An order whose message is still in the outbox is not counted: nobody can have worked on it yet.
const overdue = /* sql */ `${columns}
  FROM orders o LEFT JOIN order_process p ON p.order_id = o.id
 WHERE o.status = 'accepted' AND o.accepted_at <= $2
   AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.aggregate = o.id::text)
 ORDER BY o.accepted_at LIMIT $1 FOR UPDATE OF o SKIP LOCKED`;

export interface SettlementOptions {
  database: Database;
  deadlineMs: number;
  now(): Date;
}

/**
 * Gives orders their end: reads a batch of those that may be due, lets {@link decide} say what to do with each, and
 * carries it out. Each batch is one transaction, so it can be killed at any point and goes on where it was.
 */
export class Settlement {
  readonly #options: SettlementOptions;

  constructor(options: SettlementOptions) {
    this.#options = options;
  }

  /** Ends everything that is due now. Returns how many orders it ended. */
  async run(): Promise<number> {
    return (await this.#drain(complete, [BATCH])) + (await this.#drain(overdue, [BATCH, this.#overdueBefore()]));
  }

  async #drain(sql: string, params: unknown[]): Promise<number> {
    for (let total = 0; ;) {
      const { seen, done } = await this.#options.database.transaction((tx) => this.#batch(tx, sql, params));
      total += done;
      if (seen < BATCH || done === 0) return total;
    }
  }

  async #batch(tx: Tx, sql: string, params: unknown[]): Promise<{ seen: number; done: number }> {
    const rows = await tx.query<Row>(sql, params);
    const now = this.#options.now();
    const confirmed: { id: string }[] = [];
    const compensated: { id: string; reason: string }[] = [];
    for (const row of rows) {
      const next = decide(progressOf(row), now, this.#options);
      if (next.kind === 'confirm') confirmed.push({ id: row.id });
      if (next.kind === 'compensate') compensated.push({ id: row.id, reason: next.reason });
    }
    const sold = await endOrders(tx, 'confirmed', confirmed);
    const released = await endOrders(tx, 'compensated', compensated);
    await outboxAll(tx, [...sold.map(confirmation), ...released.map(compensation)]);
    tx.afterCommit(() => {
      const acceptedAt = new Map(rows.map((row) => [row.id, row.accepted_at.getTime()]));
      for (const order of sold) took.observe(Math.max(0, (order.endedAt.getTime() - acceptedAt.get(order.id)!) / 1000));
      for (const order of released) log.warn({ orderId: order.id, reason: order.reason }, 'order compensated');
      ended.inc({ outcome: 'confirmed' }, sold.length);
      ended.inc({ outcome: 'compensated' }, released.length);
    });
    return { seen: rows.length, done: sold.length + released.length };
  }

  #overdueBefore(): Date {
    return new Date(this.#options.now().getTime() - this.#options.deadlineMs);
  }
}

/** Nobody in order-demo waits for it, so having no receiver is fine. */
const confirmation = ({ id, endedAt }: Ended): OutboxEntry => ({
  definition: orderConfirmed,
  payload: { orderId: id, at: endedAt.toISOString() },
  aggregate: id,
  mandatory: false,
});

/** Makes the other roles withdraw what they did; written in the transaction that ended the order. */
export const compensation = ({ id, endedAt, reason }: Ended): OutboxEntry => ({
  definition: orderCompensated,
  payload: { orderId: id, at: endedAt.toISOString(), reason },
  aggregate: id,
});

function progressOf(row: Row): OrderProgress {
  const done = new Set<Needed>();
  if (row.document_at) done.add('document');
  if (row.coupon_at) done.add('coupon');
  if (row.notified_at) done.add('notification');
  return { id: row.id, status: row.status, acceptedAt: row.accepted_at, done };
}
