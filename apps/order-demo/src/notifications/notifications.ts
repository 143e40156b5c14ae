import { Inject, Injectable } from '@nestjs/common';
import { notificationSent, orderCompensated, orderPaid, type Payload } from '@keelson/contracts';
import { outbox } from '@keelson/messaging';
import { type HandlerContext, Subscribe } from '@keelson/messaging/nest';
import type { Tx } from '@keelson/persistence';
import { NOTIFICATIONS_QUEUE } from '../queues.ts';
import { notificationId, SmsProvider } from './sms.ts';

// Nothing is sent where a row is there already: it was sent before, or the order was cancelled first.
const note = /* sql */ `
INSERT INTO notifications (id, order_id, made_at) VALUES ($1, $2, $3) ON CONFLICT (order_id) DO NOTHING RETURNING id`;

const withdraw = /* sql */ `
INSERT INTO notifications AS n (id, order_id, withdrawn_at) VALUES ($1, $2, $3)
ON CONFLICT (order_id) DO UPDATE SET withdrawn_at = coalesce(n.withdrawn_at, excluded.withdrawn_at)`;

/** The notifications role: tells the customer by SMS that the order is paid, unless it was cancelled before that. */
@Injectable()
export class Notifications {
  constructor(@Inject(SmsProvider) private readonly sms: SmsProvider) {}

  @Subscribe(orderPaid, { queue: NOTIFICATIONS_QUEUE.queue, concurrency: NOTIFICATIONS_QUEUE.concurrency })
  async onPaid(order: Payload<typeof orderPaid>, { tx }: HandlerContext): Promise<void> {
    const { orderId } = order;
    const at = new Date();
    const id = await this.note(tx!, { orderId, at });
    if (id === undefined) return;
    // Killed after this and before the commit: the message comes again, and the provider knows the id.
    await this.send(order);
    const sent = { orderId, notificationId: id, at: at.toISOString() };
    await outbox(tx!, notificationSent, sent, { aggregate: orderId });
  }

  /** The notification's id; undefined where it was sent before or must not be. */
  async note(tx: Tx, { orderId, at }: { orderId: string; at: Date }): Promise<string | undefined> {
    const id = notificationId(orderId, 'paid');
    const [noted] = await tx.query(note, [id, orderId, at]);
    return noted ? id : undefined;
  }

  /** May be called again: the provider delivers an id once. */
  async send(order: { orderId: string; phone: string; documentNumber: string }): Promise<void> {
    const { orderId, phone, documentNumber } = order;
    const id = notificationId(orderId, 'paid');
    await this.sms.send({ id, orderId, phone, text: `Your order ${documentNumber} is paid.` });
  }

  @Subscribe(orderCompensated, { queue: NOTIFICATIONS_QUEUE.queue, concurrency: NOTIFICATIONS_QUEUE.concurrency })
  async onCompensated({ orderId, at }: Payload<typeof orderCompensated>, { tx }: HandlerContext): Promise<void> {
    await tx!.execute(withdraw, [notificationId(orderId, 'paid'), orderId, at]);
  }
}
