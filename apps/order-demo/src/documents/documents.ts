import { Injectable } from '@nestjs/common';
import { documentIssued, orderAccepted, orderCompensated, type Payload } from '@keelson/contracts';
import { outbox } from '@keelson/messaging';
import { type HandlerContext, Subscribe } from '@keelson/messaging/nest';
import { DOCUMENTS_QUEUE } from '../queues.ts';

// Nothing happens where a row is there already: the document was issued before, or the order was cancelled first.
const issue = /* sql */ `
INSERT INTO documents (id, order_id, number, made_at) VALUES (uuidv7(), $1, $2, $3)
ON CONFLICT (order_id) DO NOTHING RETURNING id`;

// A cancellation that overtakes the order leaves a tombstone, which keeps the document from being issued later.
const withdraw = /* sql */ `
INSERT INTO documents AS d (id, order_id, withdrawn_at) VALUES (uuidv7(), $1, $2)
ON CONFLICT (order_id) DO UPDATE SET withdrawn_at = coalesce(d.withdrawn_at, excluded.withdrawn_at)`;

/** The documents role: issues the document of an accepted order, voids that of a compensated one. */
@Injectable()
export class Documents {
  @Subscribe(orderAccepted, { queue: DOCUMENTS_QUEUE.queue, concurrency: DOCUMENTS_QUEUE.concurrency })
  async onAccepted({ orderId, documentNumber }: Payload<typeof orderAccepted>, { tx }: HandlerContext): Promise<void> {
    const at = new Date().toISOString();
    const [made] = await tx!.query(issue, [orderId, documentNumber, at]);
    if (made) await outbox(tx!, documentIssued, { orderId, documentNumber, at }, { aggregate: orderId });
  }

  @Subscribe(orderCompensated, { queue: DOCUMENTS_QUEUE.queue, concurrency: DOCUMENTS_QUEUE.concurrency })
  async onCompensated({ orderId, at }: Payload<typeof orderCompensated>, { tx }: HandlerContext): Promise<void> {
    await tx!.execute(withdraw, [orderId, at]);
  }
}
