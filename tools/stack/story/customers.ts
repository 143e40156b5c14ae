import { ordersApi, type Order } from '@keelson/contracts';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, request } from 'undici';

/** How long a customer goes on trying one order: longer than any outage of the story. */
const PATIENCE_MS = 60_000;

export interface CustomersOptions {
  /** Gateway, `https://localhost:port`. */
  readonly url: string;
  /** PEM of the root that the gateway's certificate must lead to. */
  readonly ca: string;
  readonly token: string;
  readonly perSecond: number;
}

export interface Tally {
  /** Orders that customers wanted. */
  readonly placed: number;
  /** Answered 202. */
  readonly accepted: number;
  /** Tries that failed and were made again with the same Idempotency-Key. */
  readonly retries: number;
  /** Given up after a minute of trying. */
  readonly abandoned: number;
  readonly inFlight: number;
  /** Accepted orders by the version that took them. */
  readonly byVersion: Readonly<Record<string, number>>;
}

/**
 * Customers who order at a steady rate through the gateway, over TLS, whatever the answers (an open model). Each order
 * has an Idempotency-Key and is tried again until it is accepted, as a shop's web page would.
 */
export class Customers {
  readonly #options: CustomersOptions;
  readonly #agent: Agent;
  readonly #stopping = new AbortController();
  readonly #inFlight = new Set<Promise<void>>();
  #placed = 0;
  #accepted = 0;
  #retries = 0;
  #abandoned = 0;
  readonly #byVersion: Record<string, number> = {};
  #running: Promise<void> | undefined;

  constructor(options: CustomersOptions) {
    this.#options = options;
    this.#agent = new Agent({ connections: 64, connect: { ca: options.ca, servername: 'localhost' } });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Nobody orders any more; resolves when every order under way is accepted or given up. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await Promise.allSettled(this.#inFlight);
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  get tally(): Tally {
    return {
      placed: this.#placed,
      accepted: this.#accepted,
      retries: this.#retries,
      abandoned: this.#abandoned,
      inFlight: this.#inFlight.size,
      byVersion: { ...this.#byVersion },
    };
  }

  async #run(): Promise<void> {
    const started = performance.now();
    for (let n = 1; !this.#stopping.signal.aborted; n += 1) {
      const order = this.#order(n);
      this.#inFlight.add(order);
      void order.finally(() => this.#inFlight.delete(order));
      const next = started + (n / this.#options.perSecond) * 1000;
      await pause(Math.max(0, next - performance.now()), undefined, { signal: this.#stopping.signal }).catch(
        () => undefined,
      ); // stopped
    }
  }

  async #order(n: number): Promise<void> {
    this.#placed += 1;
    const key = randomUUID();
    const body = JSON.stringify({
      customer: `customer-${n % 97}`,
      phone: `+4915${String(10_000_000 + (n % 10_000_000))}`,
      lines: [{ sku: `SKU-${String((n % 8) + 1).padStart(3, '0')}`, quantity: 1 + (n % 3) }],
    });
    const deadline = performance.now() + PATIENCE_MS;
    for (let attempt = 0; performance.now() < deadline; attempt += 1) {
      const version = await this.#try(key, body);
      if (version !== undefined) {
        this.#accepted += 1;
        this.#byVersion[version] = (this.#byVersion[version] ?? 0) + 1;
        return;
      }
      this.#retries += 1;
      await pause(Math.min(1_000, 50 * 2 ** attempt) * (0.5 + Math.random() / 2));
    }
    this.#abandoned += 1;
  }

  /** The version that accepted the order, or undefined where it must be tried again. */
  async #try(key: string, body: string): Promise<string | undefined> {
    try {
      const answer = await request(new URL(ordersApi.endpoints.placeOrder.path, this.#options.url), {
        method: 'POST',
        dispatcher: this.#agent,
        headers: {
          authorization: `Bearer ${this.#options.token}`,
          'content-type': 'application/json',
          'idempotency-key': key,
        },
        body,
        headersTimeout: 5_000,
        bodyTimeout: 5_000,
      });
      if (answer.statusCode !== 202) {
        await answer.body.dump();
        return undefined;
      }
      return ((await answer.body.json()) as Order).acceptedBy;
    } catch {
      return undefined; // the connection broke: whether the order got through is what the key is for
    }
  }
}
