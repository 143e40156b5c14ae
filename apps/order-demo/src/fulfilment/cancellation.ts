import type { OrderStatus } from '@keelson/contracts';
import type { Database } from '@keelson/persistence';
import { documentNumber } from '../reading/history.ts';
import type { OrderSagas } from './order-sagas.ts';

const find = /* sql */ `
SELECT status, series, number, customer, phone, total_cents FROM orders WHERE id = $2 AND ($1 = '*' OR team = $1)`;

interface Row {
  status: OrderStatus;
  series: string;
  number: string;
  customer: string;
  phone: string;
  total_cents: string;
}

/** `begun`: what was done for it is being taken back. */
export type Cancelled = 'begun' | 'begun-before' | 'already-confirmed' | 'not-found';

/**
 * Cancels an order that is not confirmed yet: its saga begins to take back what was done. Where the saga has not begun,
 * it begins cancelled, and the message that would begin it changes nothing. Cancelling twice is cancelling once.
 */
export async function cancelOrder(
  database: Database,
  sagas: OrderSagas,
  order: { team: string; id: string; by: string },
): Promise<Cancelled> {
  return await database.transaction(async (tx) => {
    const [row] = await tx.query<Row>(find, [order.team, order.id]);
    if (!row) return 'not-found';
    const outcome = await sagas.cancel(tx, order.id, {
      reason: `cancelled by ${order.by}`,
      startWith: {
        documentNumber: documentNumber(row.series, row.number),
        customer: row.customer,
        phone: row.phone,
        totalCents: Number(row.total_cents),
      },
    });
    switch (outcome) {
      case 'begun':
      case 'moved':
        return 'begun';
      case 'ignored':
        return 'begun-before';
      case 'ended': {
        const saga = await sagas.find(tx, order.id);
        return saga?.state === 'completed' ? 'already-confirmed' : 'begun-before';
      }
      case 'unknown':
        return 'not-found';
      default:
        return outcome satisfies never;
    }
  });
}
