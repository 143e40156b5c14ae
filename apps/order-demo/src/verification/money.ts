import type { OrderStatus } from '@keelson/contracts';
import type { Tx } from '@keelson/persistence';
import type { PaymentProvider } from '../payments/provider.ts';
import * as sql from './evidence.sql.ts';

/** Money that the provider has taken for one order and not given back. */
export interface Charge {
  payments: number;
  cents: number;
}

/** The same with the order it is for; `status` is absent where there is no such order. */
export interface Charged extends Charge {
  orderId: string;
  status?: OrderStatus;
  totalCents?: number;
  endedAt?: Date;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The provider's books, summed up for each reference. */
export async function chargedOrders(provider: PaymentProvider): Promise<ReadonlyMap<string, Charge>> {
  const charged = new Map<string, Charge>();
  for await (const page of provider.ledger()) {
    for (const { reference, amountCents, refundedCents, status } of page) {
      if (status !== 'succeeded' || amountCents === refundedCents || !UUID.test(reference)) continue;
      const before = charged.get(reference) ?? { payments: 0, cents: 0 };
      charged.set(reference, {
        payments: before.payments + 1,
        cents: before.cents + amountCents - refundedCents,
      });
    }
  }
  return charged;
}

/**
 * Compares the books with the orders; only what does not fit is returned. The books were read at `booksAt`, before the
 * orders, so what ended since then is left out: its money may have moved in between.
 */
export async function moneyEvidence(
  tx: Tx,
  charges: ReadonlyMap<string, Charge>,
  booksAt: Date,
): Promise<{ charged: Charged[]; unpaid: string[] }> {
  interface Row {
    id: string;
    status: OrderStatus;
    totalCents: string;
    endedAt: Date | null;
  }
  const charged: Charged[] = [];
  const unpaid: string[] = [];
  const unclaimed = new Map(charges);
  for (let after: string | null = null; ;) {
    const rows: Row[] = await tx.query<Row>(sql.moneyOfOrders, [after]);
    if (rows.length === 0) break;
    for (const { id, status, totalCents, endedAt } of rows) {
      const charge = charges.get(id);
      unclaimed.delete(id);
      if (endedAt !== null && endedAt >= booksAt) continue;
      if (charge === undefined) {
        if (status === 'confirmed') unpaid.push(id);
        continue;
      }
      const fits = charge.payments === 1 && Number(totalCents) === charge.cents && status !== 'compensated';
      if (!fits)
        charged.push({ orderId: id, ...charge, status, totalCents: Number(totalCents), endedAt: endedAt ?? undefined });
    }
    after = rows.at(-1)!.id;
  }
  for (const [orderId, charge] of unclaimed) charged.push({ orderId, ...charge });
  return { charged, unpaid };
}
