import { catalogue, orderAccepted, type Payload } from '@keelson/contracts';
import { Database, type Tx } from '@keelson/persistence';
import { fixedClock, testDatabase, type TestDatabase } from '@keelson/testing';
import fc from 'fast-check';
import { createHash, randomUUID } from 'node:crypto';
import { fingerprintOf } from '../src/accepting/new-order.ts';
import { OrderStore } from '../src/accepting/order-store.ts';
import { uuid7 } from '../src/accepting/uuid7.ts';
import { Coupons } from '../src/coupons/coupons.ts';
import { Documents } from '../src/documents/documents.ts';
import { cancelOrder } from '../src/fulfilment/cancellation.ts';
import { OrderSagas } from '../src/fulfilment/order-sagas.ts';
import { Settlement } from '../src/fulfilment/settlement.ts';
import { Notifications } from '../src/notifications/notifications.ts';
import { RecordingSmsProvider } from '../src/notifications/sms.ts';
import { CustomerAccounts } from '../src/reading/customers.ts';
import { Orders } from '../src/reading/orders.ts';
import { Payments } from '../src/payments/payments.ts';
import { RecordingPaymentProvider } from '../src/payments/recording-provider.ts';
import { migrations } from '../src/schema/migrations.ts';
import { seedArticles } from '../src/stock/seed.ts';
import { gatherEvidence } from '../src/verification/evidence.ts';
import { judge } from '../src/verification/rules.ts';
import { anOrder } from './shop.ts';

const DEADLINE_MS = 300_000;

describe('what happens to an accepted order, on a real PostgreSQL', () => {
  let server: TestDatabase;
  let database: Database;
  let store: OrderStore;
  let sagas: OrderSagas;
  let settlement: Settlement;
  let payments: Payments;
  let provider: RecordingPaymentProvider;
  let reading: Orders;
  let documents: Documents;
  let coupons: Coupons;
  let notifications: Notifications;
  const customers = new CustomerAccounts();
  const clock = fixedClock(new Date());
  // Only the deadline tests look ahead; the database's own clock says when an order was accepted.
  beforeEach(() => clock.advance(Date.now() - clock.now().getTime()));

  beforeAll(async () => {
    server = await testDatabase();
    database = await Database.open({ url: server.url, name: 'order-demo', migrations, poolSize: 12 });
    store = new OrderStore({ database, version: 'v1', retryMs: 0, now: () => clock.now() });
    sagas = new OrderSagas({ deadlineMs: DEADLINE_MS, now: () => clock.now() });
    settlement = new Settlement({ database, sagas });
    provider = new RecordingPaymentProvider(database);
    payments = new Payments(database, provider);
    reading = new Orders(database);
    documents = new Documents();
    coupons = new Coupons({ COUPON_VALID_SECONDS: 3_600 });
    notifications = new Notifications(new RecordingSmsProvider(database, { latencyMs: 0 }));
    await seedArticles(database, { articles: 3, units: 1_000 });
  });

  afterAll(async () => {
    await database?.close();
    await server?.drop();
  });

  const place = async (): Promise<Payload<typeof orderAccepted>> => {
    const order = anOrder({
      lines: [
        { sku: 'SKU-001', quantity: 2 },
        { sku: 'SKU-002', quantity: 1 },
      ],
    });
    const [outcome] = await store.accept([
      { ...order, id: uuid7(), team: 'shop', principal: 'shop', key: randomUUID(), fingerprint: fingerprintOf(order) },
    ]);
    if (outcome?.kind !== 'accepted') throw new Error(`not accepted: ${outcome?.kind}`);
    const [row] = await database.query<{ body: string }>('SELECT body FROM outbox WHERE message_id = $1', [outcome.id]);
    return orderAccepted.schema.parse(JSON.parse(row!.body));
  };
  /** Everything that waits in the outbox, handed out as if the broker had taken it. */
  const sendAll = async () =>
    (await database.query<{ routing_key: string; body: string }>('DELETE FROM outbox RETURNING routing_key, body')).map(
      (row) => ({
        key: row.routing_key,
        payload: JSON.parse(row.body) as { orderId: string; at: string },
      }),
    );
  const inTx = <T>(work: (tx: Tx) => Promise<T>) => database.transaction(work);
  const handling = (tx: Tx) => ({ tx, signal: new AbortController().signal, attempt: 1 }) as never;
  const batch = (tx: Tx, payload: never) => ({ tx, messages: [{ payload }] }) as never;
  const deliver = async (key: string, payload: never): Promise<void> => {
    const handlers: Record<string, ((tx: Tx) => Promise<unknown>)[]> = {
      'order.paid.v1': [
        (tx) => documents.onPaid(payload, handling(tx)),
        (tx) => coupons.onPaid([payload], batch(tx, payload)),
        (tx) => notifications.onPaid(payload, handling(tx)),
      ],
      'coupon.withdrawal-requested.v1': [(tx) => coupons.onWithdrawalRequested([payload], batch(tx, payload))],
      'document.void-requested.v1': [(tx) => documents.onVoidRequested(payload, handling(tx))],
      'order.compensated.v1': [(tx) => notifications.onCompensated(payload, handling(tx))],
      'payment.requested.v1': [(tx) => payments.onRequested(payload, handling(tx))],
      'payment.refund-requested.v1': [(tx) => payments.onRefundRequested(payload, handling(tx))],
      'order.confirmed.v1': [],
      'order.confirmed.v2': [(tx) => customers.onConfirmed([payload], handling(tx))],
    };
    const report = (tx: Tx) => sagas.handle(tx, { definition: catalogue[key]!, payload });
    for (const handler of handlers[key] ?? [report]) await inTx(handler);
  };
  const cancel = (id: string, { team = 'shop', by = 'ada' } = {}) => cancelOrder(database, sagas, { team, id, by });
  /** Delivers and settles until nothing is under way any more. */
  const runOut = async () => {
    for (let messages = await sendAll(); messages.length > 0; messages = await sendAll()) {
      for (const { key, payload } of messages) await deliver(key, payload as never);
      await settlement.run();
    }
  };
  const stock = async () =>
    (
      await database.query<Record<string, string>>(
        "SELECT available, reserved, sold FROM articles WHERE sku = 'SKU-001'",
      )
    )[0]!;
  const verdict = async () => {
    const options = { graceMs: 0, deadlineMs: DEADLINE_MS, payments: provider };
    return judge(await gatherEvidence(database, options), options);
  };
  const count = async (table: string, orderId: string) =>
    (await database.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table} WHERE order_id = $1`, [orderId]))[0]!
      .n;

  test('an order whose three parts are done is confirmed and its stock sold', async () => {
    const before = await stock();
    const order = await place();
    await runOut();
    expect(await reading.find('shop', order.orderId)).toMatchObject({ status: 'confirmed' });
    expect(await stock()).toEqual({
      available: String(Number(before['available']) - 2),
      reserved: before['reserved'],
      sold: String(Number(before['sold']) + 2),
    });
  });

  test('the invoice is kept with the document; what the customer is called does not matter', async () => {
    const order = await place();
    await runOut();
    const [invoice] = await database.query<{ pdf: Buffer; etag: string }>(
      'SELECT * FROM invoices WHERE order_id = $1',
      [order.orderId],
    );
    expect(invoice!.pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(invoice!.etag).toBe(createHash('sha256').update(invoice!.pdf).digest('hex'));
  });

  test('cancelling takes back coupon, document, payment and stock, in that order, however often it is asked for', async () => {
    const before = await stock();
    const order = await place();
    // Accepted, payment requested, payment taken, order paid.
    for (let hop = 0; hop < 4; hop += 1) {
      for (const { key, payload } of await sendAll()) await deliver(key, payload as never);
    }
    expect([await cancel(order.orderId), await cancel(order.orderId)]).toEqual(['begun', 'begun-before']);
    await runOut();
    await settlement.run();
    await runOut();
    const { history, status } = (await reading.find('shop', order.orderId))!;
    expect(status).toBe('compensated');
    const steps = history.map(({ step }) => step);
    const back = ['compensation-begun', 'coupon-withdrawn', 'document-voided', 'payment-refunded'];
    expect(steps.filter((step) => back.includes(step))).toEqual(back);
    expect(steps.slice(-2)).toEqual(['stock-released', 'compensated']);
    expect(history.at(-1)).toMatchObject({ detail: 'cancelled by ada' });
    expect(await stock()).toEqual(before);
    expect(await verdict()).toMatchObject({ ok: true });
    expect(await cancel(order.orderId)).toBe('begun-before');
  });

  test('an order whose payment is declined keeps nothing, and says why', async () => {
    const order = await place();
    await provider.reverse(order.orderId);
    await runOut();
    await settlement.run();
    await runOut();
    const { history, status } = (await reading.find('shop', order.orderId))!;
    expect(status).toBe('compensated');
    expect(history.at(-1)).toMatchObject({ detail: 'payment failed: reversed before it was taken' });
    expect(await count('coupons', order.orderId)).toBe(0);
    expect(await verdict()).toMatchObject({ ok: true });
  });

  test('an order of another team cannot be cancelled, one of any team can by the operators', async () => {
    const order = await place();
    expect(await cancel(order.orderId, { team: 'other', by: 'eve' })).toBe('not-found');
    expect(await cancel(order.orderId, { team: '*', by: 'operator' })).toBe('begun');
    await runOut();
  });

  test('a cancellation that overtakes the order keeps payment, document, coupon and SMS from being made at all', async () => {
    const order = await place();
    await sendAll();
    await cancel(order.orderId);
    await settlement.run();
    await runOut();
    await deliver('order.accepted.v1', order as never);
    expect(await sendAll()).toEqual([]);
    for (const table of ['sms_deliveries', 'payments', 'documents', 'coupons']) {
      expect(await count(table, order.orderId)).toBe(0);
    }
    expect(await reading.find('shop', order.orderId)).toMatchObject({ status: 'compensated' });
    expect(await verdict()).toMatchObject({ ok: true });
  });

  test('a report that comes after the compensation changes nothing', async () => {
    const order = await place();
    await sendAll();
    await cancel(order.orderId);
    await settlement.run();
    await runOut();
    const after = await stock();
    const at = new Date().toISOString();
    const { orderId } = order;
    await deliver('document.issued.v1', { orderId, documentNumber: order.documentNumber, at } as never);
    await deliver('payment.taken.v1', { orderId, paymentId: 'p', amountCents: 1, at } as never);
    expect(await settlement.run()).toBe(0);
    expect(await reading.find('shop', orderId)).toMatchObject({ status: 'compensated' });
    expect(await stock()).toEqual(after);
    expect(await sendAll()).toEqual([]);
  });

  test('an order that nobody finishes is compensated at its deadline, and says why', async () => {
    const order = await place();
    for (let hop = 0; hop < 3; hop += 1) {
      for (const { key, payload } of await sendAll()) await deliver(key, payload as never);
    }
    const [paid] = await sendAll();
    expect(paid!.key).toBe('order.paid.v1');
    await inTx((tx) => documents.onPaid(paid!.payload as never, handling(tx)));
    for (const { key, payload } of await sendAll()) await deliver(key, payload as never);
    expect(await settlement.run()).toBe(0);
    clock.advance(DEADLINE_MS * 2);
    await settlement.run();
    await runOut();
    await settlement.run();
    const { history, status } = (await reading.find('shop', order.orderId))!;
    expect(status).toBe('compensated');
    const end = history.find(({ step }) => step === 'compensated');
    expect(end).toMatchObject({ detail: 'no coupon, no notification within 300 s' });
    await runOut();
    expect(await verdict()).toMatchObject({ ok: true });
  });

  test('the deadline does not run while the message is still in the outbox', async () => {
    const order = await place();
    clock.advance(DEADLINE_MS * 10);
    expect(await settlement.run()).toBe(0);
    expect(await reading.find('shop', order.orderId)).toMatchObject({ status: 'accepted' });
    await runOut();
    expect(await reading.find('shop', order.orderId)).toMatchObject({ status: 'confirmed' });
  });

  test('a clock set back by a day in the middle neither takes an order back nor holds it up', async () => {
    const order = await place();
    for (const { key, payload } of await sendAll()) await deliver(key, payload as never);
    clock.advance(-86_400_000);
    expect(await settlement.run()).toBe(0);
    await runOut();
    const { history, status } = (await reading.find('shop', order.orderId))!;
    expect(status).toBe('confirmed');
    expect(history.map(({ step }) => step)).not.toContain('compensation-begun');
    expect(await verdict()).toMatchObject({ ok: true });
  });

  test('the SMS is delivered once, though the process died between sending it and noting that', async () => {
    const order = await place();
    const died = inTx(async (tx) => {
      await notifications.onPaid({ ...order, at: order.acceptedAt }, handling(tx));
      throw new Error('killed');
    });
    await expect(died).rejects.toThrow('killed');
    expect(await count('sms_deliveries', order.orderId)).toBe(1);
    await runOut();
    expect(await count('sms_deliveries', order.orderId)).toBe(1);
    expect(await reading.find('shop', order.orderId)).toMatchObject({ status: 'confirmed' });
  });

  test('an SMS that the provider refuses is no SMS, and is delivered once when it is sent again', async () => {
    const { orderId, ...order } = await place();
    const refusals = [true, false];
    const moody = new Notifications(
      new RecordingSmsProvider(database, { latencyMs: 0, fails: () => refusals.shift() ?? false }),
    );
    const send = () => inTx((tx) => moody.onPaid({ orderId, ...order, at: order.acceptedAt }, handling(tx)));
    await expect(send()).rejects.toThrow('the SMS provider took nothing');
    expect(await count('notifications', orderId)).toBe(0);
    await send();
    await send();
    expect(await count('sms_deliveries', orderId)).toBe(1);
    await runOut();
  });

  test('several inventories settling at once, with cancellations in between, end each order once', async () => {
    const before = await stock();
    const orders = await Promise.all(Array.from({ length: 30 }, place));
    for (let hop = 0; hop < 5; hop += 1) {
      for (const { key, payload } of await sendAll()) await deliver(key, payload as never);
    }
    const [first, second, third, ...cancelled] = await Promise.all([
      settlement.run(),
      settlement.run(),
      settlement.run(),
      ...orders.slice(0, 10).map(({ orderId }) => cancel(orderId)),
    ]);
    const cancellations = cancelled.filter((outcome) => outcome === 'begun').length;
    expect(first + second + third + (await settlement.run()) + cancellations).toBe(30);
    await runOut();
    await settlement.run();
    await runOut();
    expect(Number((await stock())['sold']) - Number(before['sold'])).toBe(2 * (30 - cancellations));
    expect(await verdict()).toMatchObject({ ok: true });
  });

  test('whatever is doubled, delayed or re-ordered, and whenever it is cancelled, every order ends whole', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(1_000)), fc.boolean(), async (stream, cancels) => {
        const chance = () => stream.next().value as number;
        const order = await place();
        let waiting = await sendAll();
        let cancelAfter = cancels ? chance() % 16 : -1;
        while (waiting.length > 0) {
          if (cancelAfter-- === 0) await cancel(order.orderId);
          const index = chance() % waiting.length;
          const { key, payload } = waiting[index]!;
          await deliver(key, payload as never);
          // One in three comes again later.
          if (chance() % 3 > 0) waiting.splice(index, 1);
          if (chance() % 2 === 0) await settlement.run();
          waiting = [...waiting, ...(await sendAll())];
        }
        await settlement.run();
        await runOut();
        await settlement.run();
        await runOut();
        const { status } = (await reading.find('shop', order.orderId))!;
        expect(['confirmed', 'compensated']).toContain(status);
        if (!cancels) expect(status).toBe('confirmed');
        expect(await verdict()).toMatchObject({ ok: true });
      }),
      { numRuns: 30 },
    );
  });
});
