import { Controller, Inject, Injectable } from '@nestjs/common';
import { orderConfirmedV2, ordersApi, type Payload } from '@keelson/contracts';
import { type BatchHandlerContext, SubscribeBatch } from '@keelson/messaging/nest';
import { Database } from '@keelson/persistence';
import { Operation, type OperationInput, type OperationResult } from '@keelson/service-kit';
import { CUSTOMERS_QUEUE } from '../queues.ts';
import { cursorOf, keyOf } from './cursor.ts';
import { paged } from './orders.ts';

const { listCustomers } = ordersApi.endpoints;
// eslint-disable-next-line no-control-regex -- NUL is what PostgreSQL refuses in a text
const NAMES = /^[^\0]{1,64}\n[^\0]{1,128}$/;

// The inbox makes each count once. Sorted: two batches at the same time lock the same customers in the same order.
const add = /* sql */ `
INSERT INTO customer_accounts AS c (team, customer, orders, spent_cents, last_order_at)
SELECT team, confirmed.customer, count(*), sum(cents), max(at)
  FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[]) AS confirmed (id, customer, cents, at)
  JOIN orders USING (id) GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (team, customer) DO UPDATE SET orders = c.orders + excluded.orders,
   spent_cents = c.spent_cents + excluded.spent_cents,
   last_order_at = greatest(c.last_order_at, excluded.last_order_at)`;

// Team '*' sees all.
const page = /* sql */ `
SELECT team, customer, orders, spent_cents AS "spentCents", last_order_at AS "lastOrderAt" FROM customer_accounts
 WHERE ($1 = '*' OR team = $1) AND ($2::text IS NULL OR (team, customer) > ($2, $3)) ORDER BY team, customer LIMIT $4`;

/** Keeps the read model up to date: behind the orders by as much as the queue is long. */
@Injectable()
export class CustomerAccounts {
  @SubscribeBatch(orderConfirmedV2, { queue: CUSTOMERS_QUEUE.queue, concurrency: CUSTOMERS_QUEUE.concurrency })
  async onConfirmed(
    orders: readonly Payload<typeof orderConfirmedV2>[],
    { tx }: Pick<BatchHandlerContext, 'tx'>,
  ): Promise<void> {
    await tx!.execute(add, [
      orders.map(({ orderId }) => orderId),
      orders.map(({ customer }) => customer),
      orders.map(({ total }) => total.cents),
      orders.map(({ at }) => at),
    ]);
  }
}

interface Row {
  team: string;
  customer: string;
  orders: string;
  spentCents: string;
  lastOrderAt: Date;
}

@Controller()
export class CustomersController {
  constructor(@Inject(Database) private readonly database: Database) {}

  @Operation(listCustomers)
  async list({
    query,
    principal,
  }: OperationInput<typeof listCustomers>): Promise<OperationResult<typeof listCustomers>> {
    const [team, customer] = keyOf(query.cursor, NAMES)?.split('\n') ?? [];
    const rows = await this.database.query<Row>(page, [
      principal.team,
      team ?? null,
      customer ?? null,
      query.limit + 1,
    ]);
    const { items, after } = paged(rows, query.limit, (row) => `${row.team}\n${row.customer}`);
    return {
      items: items.map((row) => ({
        customer: row.customer,
        orders: Number(row.orders),
        spentCents: Number(row.spentCents),
        lastOrderAt: row.lastOrderAt.toISOString(),
      })),
      ...(after === undefined ? {} : { next: cursorOf(after) }),
    };
  }
}
