import { Inject, Injectable } from '@nestjs/common';
import { notificationSent, orderAccepted, orderCompensated, type Payload } from '@keelson/contracts';
import { outbox } from '@keelson/messaging';
import { type HandlerContext, Subscribe } from '@keelson/messaging/nest';
import { NOTIFICATIONS_QUEUE } from '../queues.ts';
import { notificationId, SmsProvider } from './sms.ts';

// Nothing is sent where a row is there already: it was sent before, or the order was cancelled first.
const note = /* sql */ `
INSERT INTO notifications (id, order_id, made_at) VALUES ($1, $2, $3) ON CONFLICT (order_id) DO NOTHING RETURNING id`;

const withdraw = /* sql */ `
INSERT INTO notifications AS n (id, order_id, withdrawn_at) VALUES ($1, $2, $3)
ON CONFLICT (order_id) DO UPDATE SET withdrawn_at = coalesce(n.withdrawn_at, excluded.withdrawn_at)`;

/** The notifications role: tells the customer by SMS that the order is accepted, unless it was cancelled before that. */
@Injectable()
export class Notifications {
  constructor(@Inject(SmsProvider) private readonly sms: SmsProvider) {}

  @Subscribe(orderAccepted, { queue: NOTIFICATIONS_QUEUE.queue, concurrency: NOTIFICATIONS_QUEUE.concurrency })
  async onAccepted(order: Payload<typeof orderAccepted>, { tx }: HandlerContext): Promise<void> {
    const { orderId, phone, documentNumber } = order;
    const id = notificationId(orderId, 'accepted');
    const at = new Date().toISOString();
    const [noted] = await tx!.query(note, [id, orderId, at]);
    if (!noted) return;
    // Killed after this and before the commit: the message comes again, and the provider knows the id.
    await this.sms.send({ id, orderId, phone, text: `Your order ${documentNumber} is accepted.` });
    await outbox(tx!, notificationSent, { orderId, notificationId: id, at }, { aggregate: orderId });
  }

  @Subscribe(orderCompensated, { queue: NOTIFICATIONS_QUEUE.queue, concurrency: NOTIFICATIONS_QUEUE.concurrency })
  async onCompensated({ orderId, at }: Payload<typeof orderCompensated>, { tx }: HandlerContext): Promise<void> {
    await tx!.execute(withdraw, [notificationId(orderId, 'accepted'), orderId, at]);
  }
}
