import type { Order, PlaceOrder, Problem, Stock, Verdict } from '@keelson/contracts';
import { eventually } from '@keelson/testing';
import { randomUUID } from 'node:crypto';
import { READER, TOKEN } from './role-process.ts';

/** What the history of an order shows in the end, whichever way it was placed; they come in no fixed order but the last. */
export const STEPS_OF_A_CONFIRMED_ORDER = [
  'stock-reserved',
  'document-numbered',
  'payment-taken',
  'document-issued',
  'coupon-granted',
  'sms-sent',
  'confirmed',
] as const;

export interface Answer<Body> {
  status: number;
  headers: Headers;
  body: Body;
}

/** An order, or the problem that came instead of it. */
type Placed = Order & Partial<Pick<Problem, 'code' | 'errors'>>;

export const anOrder = (fields: Partial<PlaceOrder> = {}): PlaceOrder => ({
  customer: 'Ada',
  phone: '+4915112345678',
  lines: [{ sku: 'SKU-001', quantity: 1 }],
  ...fields,
});

/** A client of the HTTP API that shows status, headers and body as they came. */
export class Shop {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  place(
    order: unknown = anOrder(),
    { key = randomUUID(), token = TOKEN }: { key?: string | null; token?: string } = {},
  ): Promise<Answer<Placed>> {
    return this.call('POST', '/v1/orders', {
      body: order,
      headers: key === null ? {} : { 'idempotency-key': key },
      token,
    });
  }

  get(id: string, { token = TOKEN } = {}): Promise<Answer<Placed>> {
    return this.call('GET', `/v1/orders/${id}`, { token });
  }

  /** The order once it is confirmed or compensated. */
  ended(id: string, withinMs = 60_000): Promise<Placed> {
    return eventually(
      async () => {
        const { body } = await this.get(id);
        return body.status !== 'accepted' && body;
      },
      { withinMs, describe: `order ${id} has ended` },
    );
  }

  cancel(id: string): Promise<Answer<Placed>> {
    return this.call('POST', `/v1/orders/${id}/cancel`);
  }

  list(
    query = '',
    { token = TOKEN } = {},
  ): Promise<Answer<{ items: Order[]; next?: string } & Partial<Pick<Problem, 'code' | 'errors'>>>> {
    return this.call('GET', `/v1/orders${query}`, { token });
  }

  stock(query = ''): Promise<Answer<{ items: Stock[]; next?: string }>> {
    return this.call('GET', `/v1/stock${query}`);
  }

  async verify(graceSeconds = 0): Promise<Verdict> {
    return (await this.call<Verdict>('GET', `/v1/verification?graceSeconds=${graceSeconds}`, { token: READER })).body;
  }

  async call<Body>(
    method: string,
    path: string,
    { body, headers = {}, token = TOKEN }: { body?: unknown; headers?: Record<string, string>; token?: string } = {},
  ): Promise<Answer<Body>> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  }
}
