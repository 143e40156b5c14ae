import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { type Payload, priceChanged } from '@keelson/contracts';
import { SubscribeBroadcast } from '@keelson/messaging/nest';
import { Database } from '@keelson/persistence';
import { counter, logger } from '@keelson/service-kit';
import { PRICES_BROADCAST } from '../queues.ts';

const log = logger('prices');
const heard = counter({
  name: 'order_demo_price_changes_total',
  help: 'Changes of a price that this process heard of',
});

/** A broadcast reaches who listens; what was missed while the broker was away is made up for by reading all again. */
const REFRESH_MS = 60_000;

/** What articles cost, in the memory of every process: read once, then kept up to date by broadcast. */
@Injectable()
export class PriceCache implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #database: Database;
  readonly #prices = new Map<string, { cents: number; at: string }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(@Inject(Database) database: Database) {
    this.#database = database;
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.refresh();
    this.#timer = setInterval(() => {
      this.refresh().catch((error: unknown) =>
        log.warn({ err: error }, 'prices could not be read again; tried again later'),
      );
    }, REFRESH_MS);
    this.#timer.unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  /** Cents; undefined where there is no such article. */
  of(sku: string): number | undefined {
    return this.#prices.get(sku)?.cents;
  }

  @SubscribeBroadcast(priceChanged, { name: PRICES_BROADCAST })
  async onChanged({ sku, priceCents, at }: Payload<typeof priceChanged>): Promise<void> {
    heard.inc({});
    const known = this.#prices.get(sku);
    if (known && known.at > at) return;
    this.#prices.set(sku, { cents: priceCents, at });
  }

  async refresh(): Promise<void> {
    const at = new Date().toISOString();
    const rows = await this.#database.query<{ sku: string; price_cents: number }>(
      'SELECT sku, price_cents FROM articles',
    );
    for (const { sku, price_cents: cents } of rows) this.#prices.set(sku, { cents, at });
  }
}
