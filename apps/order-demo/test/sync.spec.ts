import { eventually, type PaymentProcess, startPaymentProvider } from '@keelson/testing';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { TOKEN } from './role-process.ts';
import { RunningShop } from './running-shop.ts';
import { anOrder, Shop, STEPS_OF_A_CONFIRMED_ORDER } from './shop.ts';

describe('the same order with mode=sync', () => {
  let provider: PaymentProcess;
  let shop: RunningShop;
  let client: pg.Client;
  beforeAll(async () => {
    provider = await startPaymentProvider();
    shop = await RunningShop.open({
      PAYMENT_URL: provider.url,
      PAYMENT_TOKEN: provider.token,
      PAYMENT_TIMEOUT_MS: '3000',
      SMS_LATENCY_MS: '150',
      SWEEP_EVERY_MS: '100',
      ORDER_DEADLINE_SECONDS: '10',
    });
    client = new pg.Client({ connectionString: shop.database.url });
    await client.connect();
  });
  afterEach(() => provider.behave({ mode: 'normal', delayMs: 0 }));
  afterAll(async () => {
    await client?.end();
    await shop?.close();
    await provider?.stop();
  });

  const place = (order: unknown = anOrder(), key: string = randomUUID()) =>
    shop.call<{ id: string; status: string; code?: string; detail?: string; history: { step: string }[] }>(
      'POST',
      '/v1/orders?mode=sync',
      { body: order, headers: { 'idempotency-key': key }, token: TOKEN },
    );

  test('is answered 201 when it is confirmed, and the customer waits for the SMS; nothing of it went over the queue', async () => {
    const begun = performance.now();
    const { status, body } = await place();
    expect([status, body.status]).toEqual([201, 'confirmed']);
    expect(performance.now() - begun).toBeGreaterThan(150);
    expect(body.history.map(({ step }) => step).sort()).toEqual([...STEPS_OF_A_CONFIRMED_ORDER].sort());
    // Who keeps the books of customers hears of every confirmed order; nothing was asked of anybody.
    const { rows } = await client.query("SELECT consumer FROM inbox WHERE consumer <> 'order-demo.customers'");
    expect(rows).toEqual([]);
    const pdf = await fetch(`${shop.url}/v1/orders/${body.id}/invoice`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(pdf.headers.get('content-type')).toBe('application/pdf');
    await pdf.body?.cancel();
  });

  test('with a known key is the same order; with another body 422, while the first is under way 409', async () => {
    const key = randomUUID();
    await provider.behave({ mode: 'slow', delayMs: 1_500 });
    const first = place(anOrder(), key);
    // Sent together, the second could be the first to arrive.
    const kept = () => client.query('SELECT 1 FROM orders WHERE idempotency_key = $1', [key]);
    await eventually(async () => (await kept()).rowCount === 1);
    const second = await place(anOrder(), key);
    expect([second.body.code, second.headers.get('retry-after')]).toEqual(['idempotency-key-in-progress', '1']);
    const { status, body } = await first;
    expect(status).toBe(201);
    expect((await place(anOrder(), key)).body.id).toBe(body.id);
    expect(await place(anOrder({ customer: 'Eve' }), key)).toMatchObject({ status: 422 });
  });

  test('is answered 402 when it is declined, again with the same key, and keeps nothing', async () => {
    const before = (await shop.stock()).body.items;
    const key = randomUUID();
    await provider.behave({ mode: 'declining' });
    for (const answer of [await place(anOrder(), key), await place(anOrder(), key)]) {
      expect([answer.status, answer.body.code]).toEqual([402, 'payment-declined']);
      expect(answer.body.detail).toContain('insufficient-funds');
    }
    expect((await shop.stock()).body.items).toEqual(before);
  });

  test('is answered 503 when the provider does not answer, and what it may have charged is given back', async () => {
    await provider.behave({ mode: 'late', delayMs: 6_000 });
    const { status, body } = await place();
    expect([status, body.code]).toEqual([503, 'unavailable']);
    await provider.behave({ mode: 'normal', delayMs: 0 });
    await eventually(async () => (await shop.verify()).ok);
    expect((await provider.ledger()).map((payment) => payment.status)).toContain('reversed');
  });

  test('is answered 503 when the SMS is refused, and everything is taken back, which the queue would have tried again', async () => {
    const refused = await shop.start('api', {
      PAYMENT_URL: provider.url,
      PAYMENT_TOKEN: provider.token,
      SMS_ERROR_RATE: '1',
    });
    const answer = await new Shop(refused.url).call<{ code: string }>('POST', '/v1/orders?mode=sync', {
      body: anOrder({ customer: 'no SMS' }),
      headers: { 'idempotency-key': randomUUID() },
    });
    await refused.stop();
    expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
    const { rows } = await client.query("SELECT id FROM orders WHERE customer = 'no SMS'");
    await eventually(async () => (await shop.get(rows[0].id)).body.status === 'compensated', { withinMs: 60_000 });
    await eventually(async () => (await shop.verify()).ok);
  });

  test('refuses what an asynchronous order is refused for, and an unknown mode', async () => {
    expect(await place(anOrder({ lines: [{ sku: 'nothing', quantity: 1 }] }))).toMatchObject({ status: 422 });
    const answer = await shop.call<{ code: string }>('POST', '/v1/orders?mode=later', {
      body: anOrder(),
      headers: { 'idempotency-key': randomUUID() },
    });
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid-request']);
  });

  test('whose process dies half way is taken back at its deadline', async () => {
    await provider.behave({ mode: 'slow', delayMs: 4_000 });
    const dying = await shop.start('api', {
      PAYMENT_URL: provider.url,
      PAYMENT_TOKEN: provider.token,
      ORDER_DEADLINE_SECONDS: '8',
    });
    const broken = new Shop(dying.url).call('POST', '/v1/orders?mode=sync', {
      body: anOrder({ customer: 'half way' }),
      headers: { 'idempotency-key': randomUUID() },
    });
    broken.catch(() => undefined);
    await eventually(
      async () => (await client.query("SELECT 1 FROM orders WHERE customer = 'half way'")).rowCount === 1,
    );
    dying.kill('SIGKILL');
    await expect(broken).rejects.toThrow('fetch failed');
    await provider.behave({ mode: 'normal', delayMs: 0 });
    const { rows } = await client.query("SELECT id FROM orders WHERE customer = 'half way'");
    await eventually(async () => (await shop.get(rows[0].id)).body.status === 'compensated', { withinMs: 60_000 });
    await eventually(async () => (await shop.verify()).ok);
  });
});
