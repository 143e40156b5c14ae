import type { Database } from '@keelson/persistence';
import { endOrders } from './end-orders.ts';
import type { OrderSagas } from './order-sagas.ts';

export interface SettlementOptions {
  database: Database;
  sagas: OrderSagas;
  /** Most orders whose stock is moved in one transaction; bounds how long the articles stay locked. Default 200. */
  batch?: number;
}

/**
 * The saga's own steps: stock of orders that are done is sold, that of compensated ones goes back on the shelf, and the
 * order gets its end. Each batch is one transaction, so it can be killed at any point and goes on where it was.
 */
export class Settlement {
  readonly #options: Required<SettlementOptions>;

  constructor(options: SettlementOptions) {
    this.#options = { batch: 200, ...options };
  }

  /** Takes all whose time is up, and ends everything that is due now. Returns how many orders it ended. */
  async run(): Promise<number> {
    const { database, sagas, batch } = this.#options;
    const sold = await drained(batch, () =>
      sagas.settle(database, { step: 'sale', action: 'do', limit: batch }, async (tx, due) => {
        await endOrders(
          tx,
          'confirmed',
          due.map(({ key }) => ({ id: key })),
        );
      }),
    );
    await drained(batch, () => sagas.sweep(database, batch));
    const released = await drained(batch, () =>
      sagas.settle(database, { step: 'stock', action: 'undo', limit: batch }, async (tx, due) => {
        await endOrders(
          tx,
          'compensated',
          due.map(({ key, reason }) => ({ id: key, reason })),
        );
      }),
    );
    return sold + released;
  }
}

async function drained(batch: number, take: () => Promise<number>): Promise<number> {
  for (let total = 0; ;) {
    const taken = await take();
    total += taken;
    if (taken < batch) return total;
  }
}
