import type { Order, OrderStatus, Stock } from '@keelson/contracts';
import type { StepRecord } from '@keelson/messaging/saga';
import type { Database } from '@keelson/persistence';
import { documentNumber, historyOf } from './history.ts';

interface OrderRow {
  id: string;
  series: string;
  number: string;
  status: OrderStatus;
  customer: string;
  lines: { sku: string; quantity: number }[];
  total_cents: string;
  accepted_at: Date;
  accepted_by: string;
  ended_at: Date | null;
  reason: string | null;
  steps: Record<string, StepRecord> | null;
  compensating: string | null;
}

const columns = /* sql */ `
SELECT o.id, o.series, o.number, o.status, o.customer, o.lines, o.total_cents, o.accepted_at, o.accepted_by, o.ended_at,
       o.reason, s.steps, s.reason AS compensating
  FROM orders o LEFT JOIN saga s ON s.name = 'order' AND s.key = o.id::text`;

// Team '*' sees all. Newest first is by id: ids begin with their time.
const oneOrder = /* sql */ `${columns} WHERE o.id = $2 AND ($1 = '*' OR o.team = $1)`;
const pageOfOrders = /* sql */ `${columns}
 WHERE ($1 = '*' OR o.team = $1)
   AND ($2::uuid IS NULL OR o.id < $2)
   AND ($3::text IS NULL OR o.status = $3)
   AND ($4::text IS NULL OR o.customer = $4)
 ORDER BY o.id DESC LIMIT $5`;
const pageOfStock = /* sql */ `
SELECT sku, available, reserved, sold, price_cents AS "priceCents"
  FROM articles WHERE $1::text IS NULL OR sku > $1 ORDER BY sku LIMIT $2`;

/** A page's rows and, unless it is the last, where the next one begins. */
export interface Page<Item> {
  items: Item[];
  after?: string;
}

/** The read side: no order of another team is ever among the answers. */
export class Orders {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async find(team: string, id: string): Promise<Order | undefined> {
    const [row] = await this.#database.query<OrderRow>(oneOrder, [team, id]);
    return row && orderOf(row);
  }

  async list(
    team: string,
    { after, limit, status, customer }: { after?: string; limit: number; status?: OrderStatus; customer?: string },
  ): Promise<Page<Order>> {
    const rows = await this.#database.query<OrderRow>(pageOfOrders, [
      team,
      after ?? null,
      status ?? null,
      customer ?? null,
      limit + 1,
    ]);
    return paged(rows.map(orderOf), limit, (order) => order.id);
  }

  async stock({ after, limit }: { after?: string; limit: number }): Promise<Page<Stock>> {
    const rows = await this.#database.query<Record<keyof Stock, string>>(pageOfStock, [after ?? null, limit + 1]);
    const items = rows.map(({ sku, available, reserved, sold, priceCents }) => ({
      sku,
      available: Number(available),
      reserved: Number(reserved),
      sold: Number(sold),
      priceCents: Number(priceCents),
    }));
    return paged(items, limit, (article) => article.sku);
  }
}

export function paged<Item>(rows: Item[], limit: number, keyOf: (item: Item) => string): Page<Item> {
  if (rows.length <= limit) return { items: rows };
  const items = rows.slice(0, limit);
  return { items, after: keyOf(items.at(-1)!) };
}

function orderOf(row: OrderRow): Order {
  const number = documentNumber(row.series, row.number);
  return {
    id: row.id,
    documentNumber: number,
    status: row.status,
    customer: row.customer,
    lines: row.lines.map(({ sku, quantity }) => ({ sku, quantity })),
    totalCents: Number(row.total_cents),
    acceptedAt: row.accepted_at.toISOString(),
    acceptedBy: row.accepted_by,
    history: historyOf({
      documentNumber: number,
      acceptedAt: row.accepted_at,
      steps: row.steps,
      compensating: row.compensating,
      status: row.status,
      endedAt: row.ended_at,
      reason: row.reason,
    }),
  };
}
