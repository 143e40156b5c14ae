import type { CustomerAccount, OrderV2, QueueState, Quote, Saga, Stock } from '@keelson/contracts';
import {
  eventually,
  type PaymentProcess,
  startPaymentProvider,
  testDatabase,
  type TestDatabase,
  testVhost,
  type TestVhost,
} from '@keelson/testing';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { OPERATOR, type RoleProcess, startRole, tokensFile } from './role-process.ts';
import { PAYMENTS_QUEUE, QUOTES_QUEUE } from '../src/queues.ts';
import { ROLES, type Role } from '../src/settings/roles.ts';
import { anOrder, Shop } from './shop.ts';

type Problem = { code?: string; detail?: string };

describe('every role a process of its own: patterns besides the work queue', () => {
  const tokens = tokensFile();
  const roles = new Map<Role, RoleProcess>();
  let database: TestDatabase;
  let vhost: TestVhost;
  let provider: PaymentProcess;
  let shop: Shop;
  let client: pg.Client;

  const start = async (role: Role) => {
    const env = {
      SWEEP_EVERY_MS: '100',
      COUPON_VALID_SECONDS: '3',
      APP_VERSION: 'v1',
      PAYMENT_URL: provider.url,
      PAYMENT_TOKEN: provider.token,
    };
    const options = { role, databaseUrl: database.url, amqpUrl: vhost.amqpUrl, tokens: tokens.path, env };
    roles.set(role, await startRole(options));
  };
  beforeAll(async () => {
    [database, vhost, provider] = await Promise.all([testDatabase(), testVhost(), startPaymentProvider()]);
    await Promise.all(ROLES.map(start));
    shop = new Shop(roles.get('api')!.url);
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
  });
  afterAll(async () => {
    await client?.end();
    await Promise.all([...roles.values()].map((role) => role.stop(0)));
    await Promise.all([database?.drop(), vhost?.delete(), provider?.stop()]);
    tokens.remove();
  });

  const heard = async (role: RoleProcess) => {
    const text = await (await fetch(`${role.url}/metrics`)).text();
    return Number(/^order_demo_price_changes_total (\d+)$/m.exec(text)?.[1] ?? 0);
  };
  const confirmed = (id: string) =>
    eventually(async () => (await shop.get(id)).body.status === 'confirmed', { withinMs: 60_000 });
  /** How far the payment is; undefined until it was asked for. */
  const paymentOf = async (id: string): Promise<string | undefined> => {
    const { body } = await shop.call<Partial<Saga>>('GET', `/v1/orders/${id}/saga`);
    const state = body.stages?.[1]?.steps[0]?.state;
    return state === 'waiting' ? undefined : state;
  };
  const setPrice = (sku: string, priceCents: unknown) =>
    shop.call<Stock & Problem>('PUT', `/v1/stock/${sku}/price`, { body: { priceCents } });
  const quote = (lines: unknown) => shop.call<Quote & Problem>('POST', '/v1/quotes', { body: { lines } });

  test('broadcast: every process hears of a new price, and a quote has it; what was accepted keeps its own', async () => {
    const before = (await shop.place(anOrder({ lines: [{ sku: 'SKU-003', quantity: 1 }] }))).body;
    const answer = await setPrice('SKU-003', 4_242);
    expect([answer.status, answer.body.priceCents]).toEqual([200, 4_242]);
    for (const role of roles.values()) await eventually(async () => (await heard(role)) === 1);
    const { body } = await quote([{ sku: 'SKU-003', quantity: 2 }]);
    expect(body).toEqual({
      lines: [{ sku: 'SKU-003', quantity: 2, priceCents: 4_242, available: true }],
      totalCents: 8_484,
      available: true,
    });
    expect((await shop.get(before.id)).body.totalCents).toBe(before.totalCents);
    expect((await shop.place(anOrder({ lines: [{ sku: 'SKU-003', quantity: 1 }] }))).body.totalCents).toBe(4_242);
  });

  test.each([
    { sku: 'SKU-001', price: -1, status: 422, code: 'invalid-request' },
    { sku: 'SKU-001', price: 1.5, status: 422, code: 'invalid-request' },
    { sku: 'nothing', price: 1, status: 404, code: 'not-found' },
  ])('a price of $price for $sku is refused with $status', async ({ sku, price, status, code }) => {
    const answer = await setPrice(sku, price);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test('request and reply: a quote says what is missing; without inventory it is answered 503, and orders go on', async () => {
    expect((await quote([{ sku: 'SKU-001', quantity: 1_000 }])).body.available).toBe(true);
    // The api, which is asked for the queues, answers none of their requests.
    const { body: queues } = await shop.call<{ items: QueueState[] }>('GET', '/v1/messages/queues', {
      token: OPERATOR,
    });
    const requests = { queue: QUOTES_QUEUE, kind: 'requests', consumers: 1 };
    expect(queues.items).toContainEqual(expect.objectContaining(requests));
    const unknown = await quote([{ sku: 'nothing', quantity: 1 }]);
    expect([unknown.status, unknown.body.code]).toEqual([422, 'unknown-sku']);
    expect(unknown.body.detail).toContain('/lines/0/sku: there is no article "nothing"');
    await roles.get('inventory')!.stop(20_000);
    const silent = await quote([{ sku: 'SKU-001', quantity: 1 }]);
    expect([silent.status, silent.body.code]).toEqual([503, 'unavailable']);
    const { status, body } = await shop.place();
    expect(status).toBe(202);
    await start('inventory');
    await confirmed(body.id);
    expect((await quote([{ sku: 'SKU-001', quantity: 1 }])).status).toBe(200);
  });

  test('versions: an order placed in one version is read in both, and its key is the same key in both', async () => {
    const key = randomUUID();
    const body = { customer: { name: 'Ada', phone: '+4915112345678' }, lines: [{ sku: 'SKU-002', quantity: 2 }] };
    const placeV2 = (order: unknown) =>
      shop.call<OrderV2 & Problem>('POST', '/v2/orders', { body: order, headers: { 'idempotency-key': key } });
    const placed = await placeV2(body);
    expect([placed.status, placed.headers.get('location')]).toEqual([202, `/v2/orders/${placed.body.id}`]);
    expect(placed.body).toMatchObject({ status: 'accepted', customer: { name: 'Ada' }, total: { currency: 'EUR' } });
    const again = await shop.place(anOrder({ lines: body.lines }), { key });
    expect([again.status, again.body.id]).toEqual([202, placed.body.id]);
    const { body: v1 } = await shop.get(placed.body.id);
    const { body: v2 } = await shop.call<OrderV2>('GET', placed.body.links.self);
    expect([v2.number, v2.total.cents]).toEqual([v1.documentNumber, v1.totalCents]);
    const wrong = await placeV2(anOrder());
    expect([wrong.status, wrong.body.code]).toEqual([422, 'invalid-request']);
    await confirmed(placed.body.id);
  });

  test('read model: customers are counted once for each order, from version 2 of the message, for their own team', async () => {
    const customer = `reader ${randomUUID()}`;
    const placed = await Promise.all(Array.from({ length: 3 }, () => shop.place(anOrder({ customer }))));
    for (const { body } of placed) await confirmed(body.id);
    const account = await eventually(async () => {
      const { body } = await shop.call<{ items: CustomerAccount[] }>('GET', '/v1/customers?limit=200');
      return body.items.find((item) => item.customer === customer && item.orders === 3);
    });
    expect(account.spentCents).toBe(placed.reduce((sum, { body }) => sum + body.totalCents, 0));
    const page = await shop.call<{ items: CustomerAccount[]; next?: string }>('GET', '/v1/customers?limit=1');
    const next = await shop.call<{ items: CustomerAccount[] }>('GET', `/v1/customers?limit=1&cursor=${page.body.next}`);
    expect(next.body.items[0]?.customer).not.toBe(page.body.items[0]?.customer);
  });

  test('delayed message: a coupon expires when its time is over', async () => {
    const { body } = await shop.place();
    await confirmed(body.id);
    await eventually(
      async () =>
        (await client.query('SELECT 1 FROM coupons WHERE order_id = $1 AND expired_at IS NOT NULL', [body.id]))
          .rowCount === 1,
    );
    const { rows } = await client.query('SELECT expired_at - made_at AS after FROM coupons WHERE order_id = $1', [
      body.id,
    ]);
    expect(rows[0].after.seconds).toBe(3);
    expect((await shop.verify()).ok).toBe(true);
  });

  test('peak shaving: a full queue takes no more, the rest waits in the outbox, and nothing is lost or doubled', async () => {
    const policy = `/api/policies/${vhost.vhost}/short`;
    const short = { pattern: '^order-demo\\.coupons$', 'apply-to': 'queues', definition: { 'max-length': 5 } };
    await vhost.management(policy, { method: 'PUT', body: short });
    await roles.get('coupons')!.stop(20_000);
    const ids = (await Promise.all(Array.from({ length: 60 }, () => shop.place()))).map(({ body }) => body.id);
    const count = async (sql: string) =>
      (await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${sql}`)).rows[0]!.n;
    // What the broker refuses is set aside, and tried again.
    const refused = () => count('outbox_deferred');
    await eventually(async () => (await refused()) > 10 && (await count("payments WHERE state <> 'taken'")) === 0, {
      withinMs: 60_000,
    });
    await start('coupons');
    for (const id of ids) await confirmed(id);
    await eventually(async () => (await refused()) === 0, { withinMs: 60_000 });
    expect(await shop.verify()).toMatchObject({ ok: true });
    await vhost.management(policy, { method: 'DELETE' });
  });

  test('priority: a refund passes the charges that wait for a slow provider', async () => {
    await provider.behave({ mode: 'slow', delayMs: 2_000 });
    const ids = (await Promise.all(Array.from({ length: 100 }, () => shop.place()))).map(({ body }) => body.id);
    for (const id of ids) await eventually(async () => (await paymentOf(id)) !== undefined);
    const cancelled = ids.at(-1)!;
    await shop.cancel(cancelled);
    await eventually(async () => (await shop.get(cancelled)).body.status === 'compensated', { withinMs: 60_000 });
    const charged = (await provider.ledger()).filter(({ reference }) => ids.includes(reference));
    // Behind all charges it would have come when at most those in the handlers' hands were left.
    expect(charged.length).toBeLessThan(ids.length - 2 * PAYMENTS_QUEUE.concurrency);
    await provider.behave({ mode: 'normal', delayMs: 0 });
    for (const id of ids) await eventually(async () => (await shop.get(id)).body.status !== 'accepted');
    await eventually(async () => (await shop.verify()).ok);
  });
});
