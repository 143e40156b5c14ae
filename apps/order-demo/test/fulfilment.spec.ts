import { documentIssued, orderAccepted, orderCompensated, type Payload } from '@keelson/contracts';
import { Database, type Tx } from '@keelson/persistence';
import { fixedClock, testDatabase, type TestDatabase } from '@keelson/testing';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { fingerprintOf } from '../src/accepting/new-order.ts';
import { OrderStore } from '../src/accepting/order-store.ts';
import { uuid7 } from '../src/accepting/uuid7.ts';
import { Coupons } from '../src/coupons/coupons.ts';
import { Documents } from '../src/documents/documents.ts';
import { cancelOrder } from '../src/fulfilment/cancellation.ts';
import { noteProgress } from '../src/fulfilment/progress.ts';
import { Settlement } from '../src/fulfilment/settlement.ts';
import { Notifications } from '../src/notifications/notifications.ts';
import { RecordingSmsProvider } from '../src/notifications/sms.ts';
import { Orders } from '../src/reading/orders.ts';
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
  let settlement: Settlement;
  let reading: Orders;
  let documents: Documents;
  let coupons: Coupons;
  let notifications: Notifications;
  const clock = fixedClock(new Date());
  // Only the deadline tests look ahead; the database's own clock says when an order was accepted.
  beforeEach(() => clock.advance(Date.now() - clock.now().getTime()));

  beforeAll(async () => {
    server = await testDatabase();
    database = await Database.open({ url: server.url, name: 'order-demo', migrations, poolSize: 12 });
    store = new OrderStore({ database, version: 'v1', retryMs: 0, now: () => clock.now() });
    settlement = new Settlement({ database, deadlineMs: DEADLINE_MS, now: () => clock.now() });
    reading = new Orders(database);
    documents = new Documents();
    coupons = new Coupons();
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
  const deliver = async (key: string, payload: never): Promise<void> => {
    const handlers: Record<string, ((tx: Tx) => Promise<unknown>)[]> = {
      'order.accepted.v1': [
        (tx) => documents.onAccepted(payload, handling(tx)),
        (tx) => coupons.onAccepted(payload, handling(tx)),
        (tx) => notifications.onAccepted(payload, handling(tx)),
      ],
      'order.compensated.v1': [
        (tx) => documents.onCompensated(payload, handling(tx)),
        (tx) => coupons.onCompensated(payload, handling(tx)),
        (tx) => notifications.onCompensated(payload, handling(tx)),
      ],
      'document.issued.v1': [(tx) => noteProgress(tx, 'document.issued', payload)],
      'coupon.granted.v1': [(tx) => noteProgress(tx, 'coupon.granted', payload)],
      'notification.sent.v1': [(tx) => noteProgress(tx, 'notification.sent', payload)],
      'coupon.withdrawn.v1': [(tx) => noteProgress(tx, 'coupon.withdrawn', payload)],
      'order.confirmed.v1': [],
    };
    for (const handler of handlers[key]!) await inTx(handler);
  };
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
    const options = { graceMs: 0, deadlineMs: DEADLINE_MS };
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

  test('cancelling gives the stock back, withdraws what was done, and is the same however often it is asked for', async () => {
    const before = await stock();
    const order = await place();
    const [accepted] = await sendAll();
    await deliver(accepted!.key, accepted!.payload as never);
    const cancel = () => cancelOrder(database, { team: 'shop', id: order.orderId, by: 'ada' });
    expect([await cancel(), await cancel()]).toEqual(['cancelled', 'compensated-before']);
    expect(await stock()).toEqual(before);
    await runOut();
    const { history, status } = (await reading.find('shop', order.orderId))!;
    expect(status).toBe('compensated');
    expect(history.find(({ step }) => step === 'compensated')).toMatchObject({ detail: 'cancelled by ada' });
    expect(history.map(({ step }) => step)).toContain('coupon-withdrawn');
    expect(await verdict()).toMatchObject({ ok: true });
  });

  test('an order of another team cannot be cancelled, one of any team can by the operators', async () => {
    const order = await place();
    expect(await cancelOrder(database, { team: 'other', id: order.orderId, by: 'eve' })).toBe('not-found');
    expect(await cancelOrder(database, { team: '*', id: order.orderId, by: 'operator' })).toBe('cancelled');
    await runOut();
  });

  test('a cancellation that overtakes the order keeps document, coupon and SMS from being made at all', async () => {
    const order = await place();
    await sendAll();
    await cancelOrder(database, { team: 'shop', id: order.orderId, by: 'ada' });
    await runOut();
    await deliver('order.accepted.v1', order as never);
    expect(await sendAll()).toEqual([]);
    expect(await count('sms_deliveries', order.orderId)).toBe(0);
    expect(await verdict()).toMatchObject({ ok: true });
  });

  test('a report that comes after the compensation is noted and changes nothing', async () => {
    const order = await place();
    await sendAll();
    await cancelOrder(database, { team: 'shop', id: order.orderId, by: 'ada' });
    const after = await stock();
    for (const name of ['document.issued', 'coupon.granted', 'notification.sent'] as const) {
      const at = new Date().toISOString();
      expect(await inTx((tx) => noteProgress(tx, name, { orderId: order.orderId, at }))).toBe(false);
    }
    expect(await settlement.run()).toBe(0);
    expect(await reading.find('shop', order.orderId)).toMatchObject({ status: 'compensated' });
    expect(await stock()).toEqual(after);
    await runOut();
  });

  test('an order that nobody finishes is compensated at its deadline, and says why', async () => {
    const order = await place();
    const [accepted] = await sendAll();
    await inTx((tx) => documents.onAccepted(accepted!.payload as never, handling(tx)));
    for (const { key, payload } of await sendAll()) {
      expect(key).toBe(documentIssued.routingKey);
      await deliver(key, payload as never);
    }
    expect(await settlement.run()).toBe(0);
    clock.advance(DEADLINE_MS * 2);
    expect(await settlement.run()).toBe(1);
    expect(await reading.find('shop', order.orderId)).toMatchObject({ status: 'compensated' });
    const [sent] = await sendAll();
    expect(sent).toMatchObject({
      key: orderCompensated.routingKey,
      payload: { reason: 'no coupon, no notification within 300 s of acceptance' },
    });
    await deliver(sent!.key, sent!.payload as never);
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

  test('the SMS is delivered once, though the process died between sending it and noting that', async () => {
    const order = await place();
    const died = inTx(async (tx) => {
      await notifications.onAccepted(order, handling(tx));
      throw new Error('killed');
    });
    await expect(died).rejects.toThrow('killed');
    expect(await count('sms_deliveries', order.orderId)).toBe(1);
    await runOut();
    expect(await count('sms_deliveries', order.orderId)).toBe(1);
    expect(await reading.find('shop', order.orderId)).toMatchObject({ status: 'confirmed' });
  });

  test('several inventories settling at once, with cancellations in between, end each order once', async () => {
    const before = await stock();
    const orders = await Promise.all(Array.from({ length: 30 }, place));
    for (const { key, payload } of await sendAll()) await deliver(key, payload as never);
    for (const { key, payload } of await sendAll()) await deliver(key, payload as never);
    const [first, second, third, ...cancelled] = await Promise.all([
      settlement.run(),
      settlement.run(),
      settlement.run(),
      ...orders.slice(0, 10).map(({ orderId }) => cancelOrder(database, { team: 'shop', id: orderId, by: 'ada' })),
    ]);
    const cancellations = cancelled.filter((outcome) => outcome === 'cancelled').length;
    expect(first + second + third + (await settlement.run()) + cancellations).toBe(30);
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
        let cancelAfter = cancels ? chance() % 8 : -1;
        while (waiting.length > 0) {
          if (cancelAfter-- === 0) await cancelOrder(database, { team: 'shop', id: order.orderId, by: 'ada' });
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
        const { status } = (await reading.find('shop', order.orderId))!;
        expect(['confirmed', 'compensated']).toContain(status);
        if (!cancels) expect(status).toBe('confirmed');
        expect(await verdict()).toMatchObject({ ok: true });
      }),
      { numRuns: 30 },
    );
  });
});
