import type { Database } from '@keelson/persistence';
import {
  type Charge,
  type ChargeOutcome,
  type LedgerEntry,
  PaymentProvider,
  type ReversalOutcome,
} from './provider.ts';

// A reversal that comes first leaves a row of 0 cents, which keeps the charge from being taken later.
const charge = /* sql */ `
INSERT INTO payment_ledger AS l (reference, amount_cents, status) VALUES ($1, $2, 'succeeded')
ON CONFLICT (reference) DO UPDATE SET reference = l.reference
RETURNING id, status`;

const reverse = /* sql */ `
INSERT INTO payment_ledger AS l (reference, amount_cents, status) VALUES ($1, 0, 'reversed')
ON CONFLICT (reference) DO UPDATE SET status = 'reversed', refunded_cents = l.amount_cents
RETURNING refunded_cents > 0 AS refunded`;

const page = /* sql */ `
SELECT id, reference, amount_cents AS "amountCents", refunded_cents AS "refundedCents", status
  FROM payment_ledger WHERE reference > $1 ORDER BY reference LIMIT 10000`;

/** Used without PAYMENT_URL: takes every payment, and writes into payment_ledger what a real one has in its books. */
export class RecordingPaymentProvider extends PaymentProvider {
  readonly #database: Database;

  constructor(database: Database) {
    super();
    this.#database = database;
  }

  async charge({ reference, amountCents }: Charge): Promise<ChargeOutcome> {
    const [row] = await this.#database.query<{ id: string; status: string }>(charge, [reference, amountCents]);
    return row!.status === 'succeeded'
      ? { kind: 'taken', paymentId: row!.id }
      : { kind: 'declined', reason: 'reversed before it was taken' };
  }

  async reverse(reference: string): Promise<ReversalOutcome> {
    const [row] = await this.#database.query<{ refunded: boolean }>(reverse, [reference]);
    return row!.refunded ? 'refunded' : 'never-taken';
  }

  async *ledger(): AsyncIterable<readonly LedgerEntry[]> {
    for (let after = ''; ;) {
      const rows = await this.#database.query<Record<keyof LedgerEntry, string> & Pick<LedgerEntry, 'status'>>(page, [
        after,
      ]);
      if (rows.length === 0) return;
      yield rows.map((row) => ({
        ...row,
        amountCents: Number(row.amountCents),
        refundedCents: Number(row.refundedCents),
      }));
      after = rows.at(-1)!.reference;
    }
  }
}
