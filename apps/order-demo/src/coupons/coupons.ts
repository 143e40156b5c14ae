import { Inject, Injectable } from '@nestjs/common';
import {
  couponExpiredV2,
  couponGranted,
  couponWithdrawalRequested,
  couponWithdrawn,
  orderPaid,
  type Payload,
} from '@keelson/contracts';
import { cancelAllScheduled, outboxAll, scheduleAll } from '@keelson/messaging';
import { type BatchDecoratorOptions, type BatchHandlerContext, SubscribeBatch } from '@keelson/messaging/nest';
import type { Tx } from '@keelson/persistence';
import { CONFIG } from '@keelson/service-kit';
import { COUPONS_QUEUE } from '../queues.ts';
import type { Settings } from '../settings/settings.ts';

// Nothing happens where a row is there already: the coupon was granted before, or the order was cancelled first.
// Sorted, as below: batches at the same time lock the same orders in the same order.
const grant = /* sql */ `
INSERT INTO coupons (id, order_id, customer, made_at)
SELECT uuidv7(), order_id, customer, made_at FROM unnest($1::uuid[], $2::text[], $3::timestamptz[])
  AS paid (order_id, customer, made_at) ORDER BY order_id
ON CONFLICT (order_id) DO NOTHING RETURNING id AS "couponId", order_id AS "orderId", made_at AS at`;

// A withdrawal that overtakes the order leaves a tombstone, which keeps the coupon from being granted later.
const withdraw = /* sql */ `
INSERT INTO coupons AS c (id, order_id, withdrawn_at)
SELECT uuidv7(), order_id, $2 FROM (SELECT DISTINCT unnest($1::uuid[]) AS order_id ORDER BY order_id) AS given
ON CONFLICT (order_id) DO UPDATE SET withdrawn_at = coalesce(c.withdrawn_at, excluded.withdrawn_at)
RETURNING id AS "couponId", order_id AS "orderId"`;

// One that was withdrawn while the message was on its way stays withdrawn.
const expire = /* sql */ `
UPDATE coupons SET expired_at = valid_until FROM unnest($1::uuid[], $2::timestamptz[]) AS given (order_id, valid_until)
WHERE coupons.order_id = given.order_id AND withdrawn_at IS NULL AND expired_at IS NULL`;

const expiryId = (orderId: string) => `coupon/${orderId}/expiry`;

interface Coupon {
  orderId: string;
  couponId: string;
  at: Date;
}

const queue: BatchDecoratorOptions = { queue: COUPONS_QUEUE.queue, concurrency: COUPONS_QUEUE.concurrency };

/**
 * The coupons role: grants the coupons of paid orders, takes them back where it is asked to. In batches, since nothing
 * here depends on the order of messages: a morning's backlog is worked off at the price of a few statements.
 */
@Injectable()
export class Coupons {
  constructor(@Inject(CONFIG) private readonly settings: Pick<Settings, 'COUPON_VALID_SECONDS'>) {}

  @SubscribeBatch(orderPaid, queue)
  async onPaid(
    orders: readonly Payload<typeof orderPaid>[],
    { tx, messages }: BatchHandlerContext<typeof orderPaid>,
  ): Promise<void> {
    const at = new Date();
    const granted = await this.grant(
      tx!,
      orders.map(({ orderId, customer }) => ({ orderId, customer, at })),
    );
    const traces = tracesOf(messages);
    await outboxAll(
      tx!,
      granted.map(({ orderId, couponId }) => ({
        definition: couponGranted,
        payload: { orderId, couponId, at: at.toISOString() },
        aggregate: orderId,
        traceparent: traces.get(orderId),
      })),
    );
    await this.scheduleExpiry(tx!, granted, traces);
  }

  /** Those that were granted now: not before, and for orders that may have one. */
  grant(tx: Tx, orders: readonly { orderId: string; customer: string; at: Date }[]): Promise<Coupon[]> {
    return tx.query<Coupon>(grant, [
      orders.map(({ orderId }) => orderId),
      orders.map(({ customer }) => customer),
      orders.map(({ at }) => at),
    ]);
  }

  /** Messages that wait in the database until the coupons' time is over. */
  async scheduleExpiry(tx: Tx, coupons: readonly Coupon[], traces?: Traces): Promise<void> {
    await scheduleAll(
      tx,
      coupons.map(({ orderId, couponId, at }) => {
        const until = new Date(at.getTime() + this.settings.COUPON_VALID_SECONDS * 1000);
        const payload = { orderId, couponId, validUntil: until.toISOString() };
        const traceparent = traces?.get(orderId);
        return {
          definition: couponExpiredV2,
          payload,
          id: expiryId(orderId),
          at: until,
          aggregate: orderId,
          traceparent,
        };
      }),
    );
  }

  /** Also of coupons that were granted while version 1 was spoken: libs/messaging lifts it. */
  @SubscribeBatch(couponExpiredV2, queue)
  async onExpired(
    coupons: readonly Payload<typeof couponExpiredV2>[],
    { tx }: Pick<BatchHandlerContext, 'tx'>,
  ): Promise<void> {
    const validUntil = coupons.map((coupon) => coupon.validUntil);
    await tx!.execute(expire, [coupons.map(({ orderId }) => orderId), validUntil]);
  }

  @SubscribeBatch(couponWithdrawalRequested, queue)
  async onWithdrawalRequested(
    requests: readonly Payload<typeof couponWithdrawalRequested>[],
    { tx, messages }: BatchHandlerContext<typeof couponWithdrawalRequested>,
  ): Promise<void> {
    const at = new Date().toISOString();
    const ids = requests.map(({ orderId }) => orderId);
    const withdrawn = await tx!.query<Omit<Coupon, 'at'>>(withdraw, [ids, at]);
    await cancelAllScheduled(tx!, ids.map(expiryId));
    const traces = tracesOf(messages);
    await outboxAll(
      tx!,
      withdrawn.map(({ orderId, couponId }) => ({
        definition: couponWithdrawn,
        payload: { orderId, couponId, at },
        aggregate: orderId,
        traceparent: traces.get(orderId),
      })),
    );
  }
}

/** Order -> W3C trace context of who asked: what is sent for it continues that trace, not the batch's. */
type Traces = ReadonlyMap<string, string | undefined>;
const tracesOf = (messages: readonly { payload: { orderId: string }; traceparent?: string }[]): Traces =>
  new Map(messages.map(({ payload, traceparent }) => [payload.orderId, traceparent]));
