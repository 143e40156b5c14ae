import { CallerError, counter, gauge, histogram } from '@keelson/service-kit';
import { isConnectionLoss } from '@keelson/persistence';
import { GroupCommit, Overloaded } from './group-commit.ts';
import type { NewOrder, Outcome } from './new-order.ts';
import type { OrderStore } from './order-store.ts';

export interface DoorOptions {
  store: OrderStore;
  maxBatch: number;
  maxWaiting: number;
  burstMs: number;
  lingerMs: number;
}

const batchSize = histogram({
  name: 'order_demo_accept_batch_orders',
  help: 'Orders written in one transaction',
  buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
});
const outcomes = counter({
  name: 'order_demo_accept_outcomes_total',
  help: 'Orders by what became of them at the door',
  labelNames: ['outcome'],
});

/**
 * Where orders come in: holds at most `maxWaiting`, lets a key in once at a time, and has them written in batches.
 * What it throws is meant for the caller (CallerError): overloaded, idempotency-key-in-progress, unavailable.
 */
export class Door {
  readonly #commit: GroupCommit<NewOrder, Outcome>;
  readonly #keys = new Set<string>();

  constructor({ store, ...options }: DoorOptions) {
    this.#commit = new GroupCommit<NewOrder, Outcome>({
      ...options,
      write: async (batch) => {
        batchSize.observe(batch.length);
        return await store.accept(batch);
      },
    });
    const commit = this.#commit;
    gauge({
      name: 'order_demo_accept_waiting_orders',
      help: 'Orders that wait to be written or are being written',
      collect() {
        this.set(commit.inFlight);
      },
    });
  }

  async accept(order: NewOrder): Promise<Outcome> {
    const key = `${order.principal}\n${order.key}`;
    if (this.#keys.has(key)) {
      throw new CallerError('idempotency-key-in-progress', {
        detail: 'The first request with this key is not answered yet; ask again in a second.',
        retryAfterSeconds: 1,
      });
    }
    this.#keys.add(key);
    try {
      const outcome = await this.#commit.submit(order);
      outcomes.inc({ outcome: outcome.kind });
      return outcome;
    } catch (error) {
      throw this.#forCaller(error);
    } finally {
      this.#keys.delete(key);
    }
  }

  /** Resolves when every order inside is written. */
  async empty(): Promise<void> {
    await this.#commit.idle();
  }

  #forCaller(error: unknown): unknown {
    if (error instanceof Overloaded) {
      outcomes.inc({ outcome: 'overloaded' });
      return new CallerError('overloaded', {
        detail: `${error.message}. Nothing was kept; send the same request again.`,
        retryAfterSeconds: error.retryAfterSeconds,
      });
    }
    if (isConnectionLoss(error)) {
      outcomes.inc({ outcome: 'unavailable' });
      return new CallerError('unavailable', {
        detail:
          'The database is away. Whether the order was kept is not known: send it again with the same Idempotency-Key.',
        retryAfterSeconds: 1,
        cause: error,
      });
    }
    return error;
  }
}
