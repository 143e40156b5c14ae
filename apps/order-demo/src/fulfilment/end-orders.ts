import type { Tx } from '@keelson/persistence';

/** An order that was ended just now. */
export interface Ended {
  id: string;
  endedAt: Date;
  reason: string;
}

const statement = /* sql */ `
SELECT id, ended_at AS "endedAt", coalesce(reason, '') AS reason FROM end_orders($1::uuid[], $2, $3::text[])`;

/** Ends open orders and moves their stock; see end_orders in schema/end-orders.sql.ts. Returns those it ended. */
export async function endOrders(
  tx: Tx,
  outcome: 'confirmed' | 'compensated',
  orders: readonly { id: string; reason?: string }[],
): Promise<Ended[]> {
  if (orders.length === 0) return [];
  return await tx.query<Ended>(statement, [
    orders.map(({ id }) => id),
    outcome,
    orders.map(({ reason }) => reason ?? null),
  ]);
}
