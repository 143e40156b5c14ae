import { Injectable } from '@nestjs/common';
import { couponGranted, couponWithdrawn, orderAccepted, orderCompensated, type Payload } from '@keelson/contracts';
import { outbox } from '@keelson/messaging';
import { type HandlerContext, Subscribe } from '@keelson/messaging/nest';
import { COUPONS_QUEUE } from '../queues.ts';

// Nothing happens where a row is there already: the coupon was granted before, or the order was cancelled first.
const grant = /* sql */ `
INSERT INTO coupons (id, order_id, customer, made_at) VALUES (uuidv7(), $1, $2, $3)
ON CONFLICT (order_id) DO NOTHING RETURNING id`;

// A cancellation that overtakes the order leaves a tombstone, which keeps the coupon from being granted later.
const withdraw = /* sql */ `
INSERT INTO coupons AS c (id, order_id, withdrawn_at) VALUES (uuidv7(), $1, $2)
ON CONFLICT (order_id) DO UPDATE SET withdrawn_at = excluded.withdrawn_at WHERE c.withdrawn_at IS NULL
RETURNING id, made_at IS NOT NULL AS granted`;

/** The coupons role: grants the coupon of an accepted order, takes it back from a compensated one. */
@Injectable()
export class Coupons {
  @Subscribe(orderAccepted, { queue: COUPONS_QUEUE.queue, concurrency: COUPONS_QUEUE.concurrency })
  async onAccepted({ orderId, customer }: Payload<typeof orderAccepted>, { tx }: HandlerContext): Promise<void> {
    const at = new Date().toISOString();
    const [coupon] = await tx!.query<{ id: string }>(grant, [orderId, customer, at]);
    if (coupon) await outbox(tx!, couponGranted, { orderId, couponId: coupon.id, at }, { aggregate: orderId });
  }

  @Subscribe(orderCompensated, { queue: COUPONS_QUEUE.queue, concurrency: COUPONS_QUEUE.concurrency })
  async onCompensated({ orderId }: Payload<typeof orderCompensated>, { tx }: HandlerContext): Promise<void> {
    const at = new Date().toISOString();
    const [coupon] = await tx!.query<{ id: string; granted: boolean }>(withdraw, [orderId, at]);
    if (coupon?.granted)
      await outbox(tx!, couponWithdrawn, { orderId, couponId: coupon.id, at }, { aggregate: orderId });
  }
}
