import { wakeRelays } from '@keelson/messaging';
import { type Database, isConnectionLoss, sqlState } from '@keelson/persistence';
import { setTimeout as pause } from 'node:timers/promises';
import { seriesOf } from '../reading/history.ts';
import type { LineFault, NewOrder, Outcome } from './new-order.ts';

export interface Row {
  n: number;
  outcome: 'accepted' | 'replayed' | 'reused' | 'unknown-sku' | 'out-of-stock';
  id: string;
  number: string;
  series: string;
  total_cents: string;
  accepted_at: Date;
  accepted_by: string;
  faults: LineFault[];
}

export interface OrderStoreOptions {
  database: Database;
  /** Reported as acceptedBy. */
  version: string;
  /** How long a batch is tried again while the server is away. */
  retryMs: number;
  now(): Date;
}

/** Writes batches of orders; see accept_orders in schema/accept-orders.sql.ts. */
export class OrderStore {
  readonly #options: OrderStoreOptions;

  constructor(options: OrderStoreOptions) {
    this.#options = options;
  }

  /**
   * Accepts or refuses each order, all in one transaction. When the connection is lost, nobody knows whether it was
   * committed, so the same batch is written again: its keys make that safe, and its ids tell our own orders from
   * those of somebody else who used the same key. Rejects when the database stays away longer than `retryMs`.
   */
  async accept(batch: readonly NewOrder[]): Promise<Outcome[]> {
    const giveUpAt = performance.now() + this.#options.retryMs;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#write(batch);
      } catch (error) {
        if (!isConnectionLoss(error) || performance.now() > giveUpAt) return await this.#oneByOne(batch, error);
        await pause(Math.min(200, 10 * 2 ** attempt));
      }
    }
  }

  async #write(batch: readonly NewOrder[]): Promise<Outcome[]> {
    const rows = await this.#options.database.query<Row>('SELECT * FROM accept_orders($1, $2, $3)', [
      JSON.stringify(batch.map((order, n) => ({ n, ...order }))),
      seriesOf(this.#options.now()),
      this.#options.version,
    ]);
    wakeRelays(this.#options.database);
    const outcomes = Array.from<Outcome | undefined>({ length: batch.length });
    for (const row of rows) outcomes[row.n] = outcomeOf(row, batch[row.n]!);
    return outcomes.map((outcome, n) => {
      if (!outcome) throw new Error(`accept_orders gave no outcome for order ${n} of ${batch.length}`);
      return outcome;
    });
  }

  /** SQLSTATE class 22 is the data's fault: then only the order that holds it may fail, not those beside it. */
  async #oneByOne(batch: readonly NewOrder[], error: unknown): Promise<Outcome[]> {
    if (batch.length === 1 || !sqlState(error)?.startsWith('22')) throw error;
    const outcomes: Outcome[] = [];
    for (const order of batch) {
      try {
        outcomes.push(...(await this.#write([order])));
      } catch (cause) {
        outcomes.push({ kind: 'failed', cause });
      }
    }
    return outcomes;
  }
}

export function outcomeOf(row: Row, order: NewOrder): Outcome {
  switch (row.outcome) {
    case 'accepted':
    case 'replayed':
      return {
        // Our own id under a known key: this very order was committed before the connection broke.
        kind: row.id === order.id ? 'accepted' : row.outcome,
        id: row.id,
        series: row.series,
        number: row.number,
        totalCents: Number(row.total_cents),
        acceptedAt: row.accepted_at,
        acceptedBy: row.accepted_by,
      };
    case 'reused':
      return { kind: 'reused' };
    case 'unknown-sku':
    case 'out-of-stock':
      return { kind: row.outcome, faults: row.faults };
  }
}
