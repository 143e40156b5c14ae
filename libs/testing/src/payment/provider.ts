import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Account, type Payment } from './account.ts';

/**
 * How the provider behaves. `normal`. `slow`: books after `delayMs`. `late`: books at once, answers after `delayMs`.
 * `down`: 503, nothing booked. `dropping`: books, then breaks the connection. `declining`: takes nothing.
 */
export const PAYMENT_MODES = ['normal', 'slow', 'late', 'down', 'dropping', 'declining'] as const;
export type PaymentMode = (typeof PAYMENT_MODES)[number];

export interface PaymentBehaviour {
  mode: PaymentMode;
  /** Of slow and late, milliseconds. */
  delayMs: number;
}

export interface PaymentOptions {
  port?: number;
  /** What clients must show as `Authorization: Bearer`. */
  token?: string;
  /** Where the books are kept. Default: in memory only. */
  file?: string;
}

interface Answer {
  status: number;
  body: object;
  headers?: Record<string, string>;
}

interface Kept {
  fingerprint: string;
  /** Absent while the first request with the key is under way. */
  answer?: Answer;
}

const problem = (status: number, code: string, detail: string, headers: Record<string, string> = {}): Answer => ({
  status,
  body: { code, detail },
  headers,
});

/**
 * A strict payment provider: payments by idempotency key, reversals by the shop's reference (given back where it was
 * taken, refused from then on where not), a ledger. Refuses what a real one refuses, in words that name the field.
 */
export class PaymentProvider {
  readonly account: Account;
  readonly behaviour: PaymentBehaviour = { mode: 'normal', delayMs: 0 };
  readonly token: string;
  /** Requests by path and status, for a test to look at. */
  readonly calls: { method: string; path: string; status: number }[] = [];
  readonly #keys = new Map<string, Kept>();
  readonly #server = createServer((request, response) => {
    this.#handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });

  private constructor(options: PaymentOptions) {
    this.account = new Account(options.file);
    this.token = options.token ?? 'sk_demo_keelson';
  }

  static async start(options: PaymentOptions = {}): Promise<PaymentProvider> {
    const provider = new PaymentProvider(options);
    await new Promise<void>((resolve, reject) => {
      provider.#server.once('error', reject);
      provider.#server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    return provider;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://provider');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { mode, delayMs } = this.behaviour;
    const paying = request.method === 'POST' && url.pathname.startsWith('/v1/');
    if (paying && mode === 'slow') await pause(delayMs);
    const answer = this.#answer(request, url, Buffer.concat(chunks).toString('utf8'));
    if (paying && mode === 'late') await pause(delayMs);
    if (this.calls.length < 100_000)
      this.calls.push({ method: request.method ?? '', path: url.pathname, status: answer.status });
    if (paying && mode === 'dropping') return void request.socket.destroy();
    response
      .writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
      .end(JSON.stringify(answer.body));
  }

  #answer(request: IncomingMessage, url: URL, text: string): Answer {
    if (url.pathname === '/behaviour') return this.#behave(request.method, text);
    if (!this.#knows(request.headers.authorization))
      return problem(401, 'unauthenticated', 'Authorization: Bearer <key> is missing or wrong');
    if (request.method === 'GET' && url.pathname === '/v1/ledger') return this.#ledger(url.searchParams);
    if (request.method !== 'POST') return problem(405, 'method-not-allowed', `${request.method} ${url.pathname}`);
    if (this.behaviour.mode === 'down')
      return problem(503, 'unavailable', 'the provider is down', { 'retry-after': '1' });
    if (request.headers['content-type']?.split(';')[0] !== 'application/json')
      return problem(415, 'unsupported-media-type', 'content-type must be application/json');
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string' || key === '')
      return problem(400, 'idempotency-key-missing', 'the header Idempotency-Key is missing');
    let body: Record<string, unknown>;
    try {
      body = JSON.parse(text) as Record<string, unknown>;
    } catch {
      return problem(400, 'malformed-json', 'the body is not JSON');
    }
    switch (url.pathname) {
      case '/v1/payments':
        return this.#once(key, text, () => this.#pay(body));
      case '/v1/reversals':
        return this.#once(key, text, () => this.#reverse(body));
      default:
        return problem(404, 'not-found', `there is no ${url.pathname}`);
    }
  }

  /** The same key, the same answer; with another body it is a mistake of the caller's. A fault is not kept. */
  #once(key: string, text: string, act: () => Answer): Answer {
    const fingerprint = createHash('sha256').update(text).digest('hex');
    const known = this.#keys.get(key);
    if (known && known.fingerprint !== fingerprint)
      return problem(422, 'idempotency-key-reused', `key ${key} was used with another body`);
    if (known?.answer) return { ...known.answer, headers: { 'idempotent-replayed': 'true' } };
    const answer = act();
    if (answer.status < 300) this.#keys.set(key, { fingerprint, answer });
    return answer;
  }

  #pay(body: Record<string, unknown>): Answer {
    const { reference, amountCents, currency } = body;
    if (typeof reference !== 'string' || reference === '')
      return problem(422, 'invalid', '/reference must be a text of at least one character');
    if (!Number.isSafeInteger(amountCents) || (amountCents as number) < 0)
      return problem(422, 'invalid', '/amountCents must be a whole number, not negative');
    if (currency !== 'EUR') return problem(422, 'invalid', '/currency must be EUR');
    const facts = { reference, amountCents: amountCents as number };
    if (this.account.reversed.has(reference)) {
      return { status: 201, body: this.account.put({ ...facts, status: 'declined', declineCode: 'reversed' }) };
    }
    // Keys are forgotten when the provider is killed; its books are not.
    const before = this.account.of(reference).find(({ status }) => status === 'succeeded');
    if (before && before.amountCents === amountCents) return { status: 200, body: before };
    const declineCode = this.#declines(amountCents as number);
    const payment: Payment = this.account.put(
      declineCode === undefined ? { ...facts, status: 'succeeded' } : { ...facts, status: 'declined', declineCode },
    );
    return { status: 201, body: payment };
  }

  /** An amount that ends in 13 cents is declined whatever the mode, so that one order can be, among many. */
  #declines(amountCents: number): string | undefined {
    if (this.behaviour.mode === 'declining') return 'insufficient-funds';
    return amountCents % 100 === 13 ? 'card-declined' : undefined;
  }

  #reverse({ reference }: Record<string, unknown>): Answer {
    if (typeof reference !== 'string' || reference === '')
      return problem(422, 'invalid', '/reference must be a text of at least one character');
    const taken = this.account.of(reference).some(({ status }) => status === 'succeeded');
    this.account.reverse(reference);
    return { status: 200, body: { reference, outcome: taken ? 'refunded' : 'never-taken' } };
  }

  /** `?after=` the number of entries already seen. */
  #ledger(query: URLSearchParams): Answer {
    const after = Number(query.get('after') ?? 0);
    const entries = [...this.account.payments.values()].slice(after, after + 10_000);
    return { status: 200, body: { entries, next: after + entries.length } };
  }

  #behave(method: string | undefined, text: string): Answer {
    if (method === 'PUT') {
      const wanted = JSON.parse(text) as Partial<PaymentBehaviour>;
      if (wanted.mode !== undefined && !PAYMENT_MODES.includes(wanted.mode)) {
        return problem(422, 'invalid', `/mode must be one of ${PAYMENT_MODES.join(', ')}`);
      }
      Object.assign(this.behaviour, wanted);
    }
    return { status: 200, body: this.behaviour };
  }

  #knows(authorization: string | undefined): boolean {
    const digest = (text: string) => createHash('sha256').update(text).digest();
    return timingSafeEqual(digest(authorization ?? ''), digest(`Bearer ${this.token}`));
  }
}
