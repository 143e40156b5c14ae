import { setTimeout as pause } from 'node:timers/promises';
import { anOrder, Shop } from './shop.ts';

export interface LoadOptions {
  url: string;
  perSecond: number;
  /** One in so many requests is sent twice at once, with the same key; 0 is none. */
  duplicateOneIn: number;
  /** One in so many orders is cancelled right away; 0 is none. */
  cancelOneIn: number;
}

/**
 * A steady stream of customers (open model: a slow answer does not slow the next customer). Each one insists: whatever
 * happens, it sends the same order with the same key until it is accepted.
 */
export class Load {
  /** Ids that were answered 202: each of these must be in the database in the end. */
  readonly accepted = new Set<string>();
  /** Answers that nobody should get, whatever is killed. */
  readonly surprises: string[] = [];
  retries = 0;
  readonly #options: LoadOptions;
  readonly #shop: Shop;
  readonly #underWay = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #count = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#shop = new Shop(options.url);
    this.#timer = setInterval(() => this.#arrive(), 1000 / options.perSecond);
  }

  /** Stops arrivals and waits until every customer has its answer. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
  }

  #arrive(): void {
    const n = (this.#count += 1);
    const customer = this.#customer(n).finally(() => this.#underWay.delete(customer));
    this.#underWay.add(customer);
  }

  async #customer(n: number): Promise<void> {
    const { duplicateOneIn, cancelOneIn } = this.#options;
    const key = `load-${process.pid}-${n}`;
    const lines = [
      { sku: `SKU-00${1 + (n % 8)}`, quantity: 1 + (n % 3) },
      { sku: `SKU-00${1 + ((n * 5) % 8)}`, quantity: 1 },
    ];
    const order = anOrder({ customer: `customer ${n}`, lines });
    const times = duplicateOneIn > 0 && n % duplicateOneIn === 0 ? 2 : 1;
    const ids = await Promise.all(Array.from({ length: times }, () => this.#insist(order, key)));
    if (new Set(ids).size > 1) this.surprises.push(`one key, two orders: ${ids.join(', ')}`);
    // Whether it comes in time to cancel is left to chance; both are fine.
    if (cancelOneIn > 0 && n % cancelOneIn === 0) await this.#shop.cancel(ids[0]!).catch(() => undefined);
  }

  async #insist(order: ReturnType<typeof anOrder>, key: string): Promise<string> {
    for (;;) {
      // A reset connection is what a killed server looks like; the key makes it safe to ask again.
      const answer = await this.#shop.place(order, { key }).catch(() => undefined);
      if (answer?.status === 202) {
        this.accepted.add(answer.body.id);
        return answer.body.id;
      }
      if (answer && ![409, 429, 500, 503].includes(answer.status)) {
        this.surprises.push(`${answer.status} ${answer.body.code}`);
      }
      this.retries += 1;
      await pause(100);
    }
  }
}
