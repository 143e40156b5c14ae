import { NonRetryableError, RetryableError } from '@keelson/messaging';
import { eventually, type PaymentProcess, startPaymentProvider } from '@keelson/testing';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpPaymentProvider } from '../src/payments/http-provider.ts';
import { RunningShop } from './running-shop.ts';
import { anOrder, Shop } from './shop.ts';

describe('orders paid at a provider that misbehaves', () => {
  let provider: PaymentProcess;
  let shop: RunningShop;
  beforeAll(async () => {
    provider = await startPaymentProvider();
    shop = await RunningShop.open({
      PAYMENT_URL: provider.url,
      PAYMENT_TOKEN: provider.token,
      PAYMENT_TIMEOUT_MS: '300',
      SWEEP_EVERY_MS: '100',
    });
  });
  afterEach(() => provider.behave({ mode: 'normal', delayMs: 0 }));
  afterAll(async () => {
    await shop?.close();
    await provider?.stop();
  });

  const place = async (orders = 1): Promise<string[]> => {
    const answers = await Promise.all(Array.from({ length: orders }, () => shop.place(anOrder())));
    return answers.map(({ body }) => body.id);
  };
  const ended = (id: string) => shop.ended(id);
  /** What the provider holds for these orders. */
  const held = async (ids: readonly string[]) =>
    (await provider.ledger()).filter(({ reference, status }) => ids.includes(reference) && status === 'succeeded');
  const metric = async (series: string): Promise<number | undefined> => {
    const text = await (await fetch(`${shop.url}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length));
  };
  const CIRCUIT = 'keelson_messaging_circuit_open{queue="order-demo.payments"}';
  const fine = () => eventually(async () => (await shop.verify()).ok);

  test('down for a while: it is soon left alone, orders wait in the queue and are paid once when it is back', async () => {
    await provider.behave({ mode: 'down' });
    const ids = await place(40);
    await eventually(async () => (await metric(CIRCUIT)) === 1);
    await eventually(async () => {
      const queue = (await shop.vhost.management(`/api/queues/${shop.vhost.vhost}/order-demo.payments`)) as {
        messages_ready?: number;
      };
      return (queue.messages_ready ?? 0) > 15;
    });
    // Those that wait were not even tried.
    expect(await metric('order_demo_payment_seconds_count{operation="payments",outcome="failed"}')).toBeLessThan(40);
    await provider.behave({ mode: 'normal' });
    for (const id of ids) expect((await ended(id)).status).toBe('confirmed');
    expect(await metric(CIRCUIT)).toBe(0);
    expect(await held(ids)).toHaveLength(40);
    await fine();
  });

  test.each(['late', 'dropping'] as const)(
    '%s: it books and its answer never comes; asked again it says the same, and the order is charged once',
    async (mode) => {
      await provider.behave({ mode, delayMs: 2_000 });
      const ids = await place(3);
      await eventually(async () => (await held(ids)).length === 3);
      await provider.behave({ mode: 'normal', delayMs: 0 });
      for (const id of ids) expect((await ended(id)).status).toBe('confirmed');
      expect(await held(ids)).toHaveLength(3);
      await fine();
    },
  );

  test('declining: the order is compensated, says why, and the customer is charged nothing', async () => {
    await provider.behave({ mode: 'declining' });
    const [id] = await place();
    const order = await ended(id!);
    expect(order.status).toBe('compensated');
    expect(order.history.map(({ step, detail }) => `${step} ${detail}`)).toContain(
      'payment-declined insufficient-funds',
    );
    expect(order.history.at(-1)).toMatchObject({ detail: 'payment failed: insufficient-funds' });
    expect(await held([id!])).toEqual([]);
    await fine();
  });

  test('cancelled while a slow payment is under way: what comes of it is given back, or never taken', async () => {
    await provider.behave({ mode: 'slow', delayMs: 250 });
    const ids = await place(6);
    await Promise.all(ids.map((id) => shop.cancel(id)));
    for (const id of ids) expect((await ended(id)).status).toBe('compensated');
    await provider.behave({ mode: 'normal', delayMs: 0 });
    await eventually(async () => (await held(ids)).length === 0);
    await fine();
  });

  test('the verifier cannot judge without the provider’s books, and says so', async () => {
    const wrong = await shop.start('api', { PAYMENT_URL: 'http://127.0.0.1:1' });
    const answer = await new Shop(wrong.url).call<{ code: string; detail: string }>('GET', '/v1/verification');
    await wrong.stop();
    expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
    expect(answer.body.detail).toMatch(/the payment provider cannot be reached/);
  });

  describe('the client', () => {
    const client = (url: string, token = provider.token) => new HttpPaymentProvider({ url, token, timeoutMs: 300 });
    const charge = { reference: randomUUID(), amountCents: 100, description: 'SO-1' };

    test('is refused with a wrong token, and does not try that again', async () => {
      const wrong = client(provider.url, 'guess');
      await expect(wrong.charge(charge)).rejects.toThrow(NonRetryableError);
      await expect(wrong.charge(charge)).rejects.toThrow('refuses the request with 401');
      await expect(wrong.charge(charge)).rejects.not.toThrow('guess');
    });

    test('charges a reference once, whatever is asked, and never after a reversal', async () => {
      const good = client(provider.url);
      const first = await good.charge(charge);
      expect(await good.charge(charge)).toEqual(first);
      expect(await good.reverse(charge.reference)).toBe('refunded');
      expect(await good.reverse(charge.reference)).toBe('refunded');
      const never = randomUUID();
      expect(await good.reverse(never)).toBe('never-taken');
      expect(await good.charge({ ...charge, reference: never })).toEqual({ kind: 'declined', reason: 'reversed' });
      await expect(good.charge({ ...charge, amountCents: 200 })).rejects.toThrow('422');
      await expect(good.charge({ ...charge, reference: randomUUID(), amountCents: 1.5 })).rejects.toThrow(
        '/amountCents',
      );
    });

    test('follows no redirect and believes no nonsense: whether it was charged is not known', async () => {
      let called = 0;
      const trap = createServer((request, response) => {
        called += 1;
        if (request.url === '/v1/payments') response.writeHead(307, { location: `${provider.url}/v1/payments` }).end();
        else response.writeHead(200, { 'content-type': 'application/json' }).end('{"outcome": "perhaps"}');
      }).listen(0, '127.0.0.1');
      await new Promise((resolve) => trap.once('listening', resolve));
      const lured = client(`http://127.0.0.1:${(trap.address() as AddressInfo).port}`);
      const reference = randomUUID();
      await expect(lured.charge({ ...charge, reference })).rejects.toThrow(RetryableError);
      await expect(lured.reverse(reference)).rejects.toThrow('makes no sense');
      trap.close();
      trap.closeAllConnections();
      expect(called).toBe(2);
      expect(await held([reference])).toEqual([]);
    });
  });
});
