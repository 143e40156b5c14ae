import type { OrderStatus } from '@keelson/contracts';
import { outboxAll } from '@keelson/messaging';
import type { Database } from '@keelson/persistence';
import { endOrders } from './end-orders.ts';
import { compensation } from './settlement.ts';

const lock = /* sql */ `SELECT status FROM orders WHERE id = $2 AND ($1 = '*' OR team = $1) FOR UPDATE`;

export type Cancelled = 'cancelled' | 'compensated-before' | 'already-confirmed' | 'not-found';

/**
 * Cancels an order that is not confirmed yet. One transaction: stock back on the shelf, the order's end, and the
 * message that makes the other roles withdraw what they did. Cancelling twice is cancelling once.
 */
export async function cancelOrder(
  database: Database,
  order: { team: string; id: string; by: string },
): Promise<Cancelled> {
  return await database.transaction(async (tx) => {
    const [row] = await tx.query<{ status: OrderStatus }>(lock, [order.team, order.id]);
    if (!row) return 'not-found';
    if (row.status === 'confirmed') return 'already-confirmed';
    if (row.status === 'compensated') return 'compensated-before';
    const ended = await endOrders(tx, 'compensated', [{ id: order.id, reason: `cancelled by ${order.by}` }]);
    await outboxAll(tx, ended.map(compensation));
    return 'cancelled';
  });
}
