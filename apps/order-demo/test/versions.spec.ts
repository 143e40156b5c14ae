import {
  catalogue,
  couponExpired,
  couponExpiredV2,
  orderConfirmed,
  orderConfirmedV2,
  type Payload,
} from '@keelson/contracts';
import { Messaging, schedule } from '@keelson/messaging';
import { Database } from '@keelson/persistence';
import { eventually } from '@keelson/testing';
import { randomUUID } from 'node:crypto';
import { migrations } from '../src/schema/migrations.ts';
import { RunningShop } from './running-shop.ts';
import { anOrder } from './shop.ts';

describe('two versions of a message side by side', () => {
  let shop: RunningShop;
  let database: Database;
  beforeAll(async () => {
    shop = await RunningShop.open({ SWEEP_EVERY_MS: '100' });
    database = await Database.open({ url: shop.database.url, name: 'order-demo', migrations });
  });
  afterAll(async () => {
    await database?.close();
    await shop?.close();
  });

  const confirmedOrder = async (customer = 'Ada') => {
    const { body } = await shop.place(anOrder({ customer }));
    await eventually(async () => (await shop.get(body.id)).body.status === 'confirmed', { withinMs: 60_000 });
    return body;
  };
  const expiryOf = (orderId: string) => `coupon/${orderId}/expiry`;
  const expiredAt = async (orderId: string): Promise<Date | null> =>
    (
      await database.query<{ at: Date | null }>('SELECT expired_at AS at FROM coupons WHERE order_id = $1', [orderId])
    )[0]!.at;

  test('the expiry of a coupon is scheduled as version 2', async () => {
    const { id } = await confirmedOrder();
    const [waiting] = await database.query('SELECT routing_key FROM scheduled_message WHERE id = $1', [expiryOf(id)]);
    expect(waiting).toEqual({ routing_key: 'coupon.expired.v2' });
  });

  test('one that an older release scheduled as version 1 is lifted, and its coupon expires like any other', async () => {
    const [old, young] = [await confirmedOrder(), await confirmedOrder()];
    const at = '2026-01-31T12:00:00.000Z';
    const due = new Date();
    // In the place of what was scheduled when the order was confirmed.
    await database.transaction(async (tx) => {
      await schedule(
        tx,
        couponExpired,
        { orderId: old.id, couponId: randomUUID(), at },
        { id: expiryOf(old.id), at: due, aggregate: old.id },
      );
      await schedule(
        tx,
        couponExpiredV2,
        { orderId: young.id, couponId: randomUUID(), validUntil: at },
        { id: expiryOf(young.id), at: due, aggregate: young.id },
      );
    });
    for (const { id } of [old, young]) {
      await eventually(async () => (await expiredAt(id)) !== null);
      expect((await expiredAt(id))!.toISOString()).toBe(at);
    }
    expect(await shop.verify()).toMatchObject({ ok: true });
  });

  test('who reads version 1 of order.confirmed and who reads version 2 each hear of every order once', async () => {
    const first: Payload<typeof orderConfirmed>[] = [];
    const second: Payload<typeof orderConfirmedV2>[] = [];
    const messaging = await Messaging.connect({ url: shop.vhost.amqpUrl, service: 'order-demo', catalogue });
    await messaging.subscribe({
      queue: 'versions-test.first',
      messages: [orderConfirmed],
      handler: async ({ payload }) => void first.push(payload),
    });
    await messaging.subscribe({
      queue: 'versions-test.second',
      messages: [orderConfirmedV2],
      handler: async ({ payload }) => void second.push(payload),
    });
    const { id, totalCents } = await confirmedOrder('Grace');
    await eventually(() => first.length > 0 && second.length > 0);
    await messaging.close();
    expect(first).toEqual([{ orderId: id, at: expect.any(String) }]);
    expect(second).toMatchObject([{ orderId: id, customer: 'Grace', total: { cents: totalCents, currency: 'EUR' } }]);
  });
});
