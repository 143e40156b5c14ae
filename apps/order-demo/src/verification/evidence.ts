import type { Database, Tx } from '@keelson/persistence';
import { documentNumber } from '../reading/history.ts';
import type { SagaState, StepRecord } from '@keelson/messaging/saga';
import type { OrderStatus } from '@keelson/contracts';
import type { PaymentProvider } from '../payments/provider.ts';
import * as sql from './evidence.sql.ts';
import { type Charged, chargedOrders, moneyEvidence } from './money.ts';

export interface OpenOrder {
  id: string;
  acceptedAt: Date;
  /** Messages of it that the outbox still holds. */
  unsent: number;
  /** Where its saga stands; absent where that has not begun. */
  saga?: {
    state: SagaState;
    /** Steps that were asked for and not reported, or that are being taken back. */
    openSteps: readonly string[];
    waitingFor?: string;
    dueAt?: Date;
  };
}

export interface StockEvidence {
  sku: string;
  received: bigint;
  available: bigint;
  reserved: bigint;
  sold: bigint;
  inOpenOrders: bigint;
  inConfirmedOrders: bigint;
}

/** What one snapshot of the database says. Only suspects are listed, so that a million good orders cost one scan. */
export interface Evidence {
  readAt: Date;
  counts: { accepted: number; confirmed: number; compensated: number };
  /** Ids that were answered as accepted (as far as the caller of the verifier knows) and are not there. */
  missing: readonly string[];
  /** Document numbers that were given out and that no order has. */
  holes: readonly string[];
  orphans: readonly { orderId: string; what: string }[];
  open: readonly OpenOrder[];
  incomplete: readonly { orderId: string; what: string }[];
  notWithdrawn: readonly { orderId: string; what: string; endedAt: Date }[];
  /** Orders whose end and whose saga's end differ. */
  contradictions: readonly { orderId: string; status: OrderStatus; sagaState: SagaState }[];
  /** What the payment provider has taken money for and not given back; undefined where it could not be asked. */
  charged: readonly Charged[];
  /** Confirmed orders that the provider has taken no money for. */
  unpaid: readonly string[];
  duplicates: readonly { id: string; what: string; count: number }[];
  stock: readonly StockEvidence[];
}

export interface GatherOptions {
  graceMs: number;
  /** Whose books are compared with the orders. */
  payments: PaymentProvider;
  /** Ids that a client holds a 202 for. */
  expected?: readonly string[];
}

/** Reads the evidence in one repeatable-read transaction, so that all of it is of the same instant, even under load. */
export async function gatherEvidence(database: Database, options: GatherOptions): Promise<Evidence> {
  // Before the snapshot: what is charged meanwhile belongs to orders that are open in it.
  const booksAt = (await database.query<{ now: Date }>('SELECT clock_timestamp() AS now'))[0]!.now;
  const charges = await chargedOrders(options.payments);
  return database.transaction(async (tx) => {
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    const readAt = (await tx.query<{ now: Date }>('SELECT now() AS now'))[0]!.now;
    return {
      readAt,
      counts: (await tx.query<Evidence['counts']>(sql.counts))[0]!,
      missing: await missingIds(tx, options.expected ?? []),
      holes: (await tx.query<{ series: string; number: string }>(sql.holes)).map((row) =>
        documentNumber(row.series, row.number),
      ),
      orphans: await tx.query<{ orderId: string; what: string }>(sql.orphans),
      open: await openOrders(tx, readAt, options),
      incomplete: await tx.query<{ orderId: string; what: string }>(sql.incomplete),
      notWithdrawn: await tx.query<{ orderId: string; what: string; endedAt: Date }>(sql.notWithdrawn),
      contradictions: await tx.query<Evidence['contradictions'][number]>(sql.contradictions),
      ...(await moneyEvidence(tx, charges, booksAt)),
      duplicates: await tx.query<{ id: string; what: string; count: number }>(sql.duplicates),
      stock: await stockEvidence(tx),
    };
  });
}

async function missingIds(tx: Tx, expected: readonly string[]): Promise<string[]> {
  if (expected.length === 0) return [];
  return (await tx.query<{ id: string }>(sql.missing, [expected])).map((row) => row.id);
}

async function openOrders(tx: Tx, readAt: Date, { graceMs }: GatherOptions): Promise<OpenOrder[]> {
  interface Row {
    id: string;
    acceptedAt: Date;
    unsent: number;
    sagaState: SagaState | null;
    steps: Record<string, StepRecord> | null;
    waitingFor: string | null;
    dueAt: Date | null;
  }
  const rows = await tx.query<Row>(sql.open, [new Date(readAt.getTime() - graceMs)]);
  return rows.map(({ id, acceptedAt, unsent, sagaState, steps, waitingFor, dueAt }) => ({
    id,
    acceptedAt,
    unsent,
    ...(sagaState === null
      ? {}
      : {
          saga: {
            state: sagaState,
            openSteps: Object.entries(steps ?? {}).flatMap(([name, { state }]) =>
              ['begun', 'undoing'].includes(state) ? [name] : [],
            ),
            ...(waitingFor === null ? {} : { waitingFor }),
            ...(dueAt === null ? {} : { dueAt }),
          },
        }),
  }));
}

async function stockEvidence(tx: Tx): Promise<StockEvidence[]> {
  const rows = await tx.query<Record<keyof StockEvidence, string>>(sql.stock);
  return rows.map((row) => ({
    sku: row.sku,
    received: BigInt(row.received),
    available: BigInt(row.available),
    reserved: BigInt(row.reserved),
    sold: BigInt(row.sold),
    inOpenOrders: BigInt(row.inOpenOrders),
    inConfirmedOrders: BigInt(row.inConfirmedOrders),
  }));
}
