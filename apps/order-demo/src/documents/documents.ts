import { Injectable } from '@nestjs/common';
import { documentIssued, documentVoided, documentVoidRequested, orderPaid, type Payload } from '@keelson/contracts';
import { NonRetryableError, outbox } from '@keelson/messaging';
import { type HandlerContext, Subscribe } from '@keelson/messaging/nest';
import type { Tx } from '@keelson/persistence';
import { DOCUMENTS_QUEUE } from '../queues.ts';
import { type Invoice, renderInvoice } from './invoice.ts';

// Nothing happens where a row is there already: the document was issued before, or it was voided first.
const issue = /* sql */ `
INSERT INTO documents (id, order_id, number, made_at) VALUES (uuidv7(), $1, $2, $3)
ON CONFLICT (order_id) DO NOTHING RETURNING id`;

const facts = /* sql */ `
SELECT o.customer, o.total_cents AS "totalCents", o.accepted_at AS date,
       (SELECT jsonb_agg(l.line || jsonb_build_object('name', coalesce(a.name, '')) ORDER BY l.position)
          FROM jsonb_array_elements(o.lines) WITH ORDINALITY AS l(line, position)
          LEFT JOIN articles a ON a.sku = l.line ->> 'sku') AS lines
  FROM orders o WHERE o.id = $1`;

const keep = /* sql */ `
INSERT INTO invoices (order_id, pdf, etag) VALUES ($1, $2, encode(sha256($2), 'hex')) ON CONFLICT (order_id) DO NOTHING`;

// A request to void it that overtakes the order leaves a tombstone, which keeps the document from being issued later.
const voided = /* sql */ `
INSERT INTO documents AS d (id, order_id, withdrawn_at) VALUES (uuidv7(), $1, $2)
ON CONFLICT (order_id) DO UPDATE SET withdrawn_at = coalesce(d.withdrawn_at, excluded.withdrawn_at)`;

type Facts = Omit<Invoice, 'number' | 'totalCents'> & { totalCents: string };

/** The documents role: makes and keeps the invoice of a paid order, voids it where it is asked to. */
@Injectable()
export class Documents {
  @Subscribe(orderPaid, { queue: DOCUMENTS_QUEUE.queue, concurrency: DOCUMENTS_QUEUE.concurrency })
  async onPaid({ orderId, documentNumber }: Payload<typeof orderPaid>, { tx }: HandlerContext): Promise<void> {
    const at = new Date();
    if (!(await this.issue(tx!, { orderId, documentNumber, at }))) return;
    await outbox(tx!, documentIssued, { orderId, documentNumber, at: at.toISOString() }, { aggregate: orderId });
  }

  /** Makes and keeps the invoice; false where it was made before or must not be. */
  async issue(tx: Tx, { orderId, documentNumber, at }: { orderId: string; documentNumber: string; at: Date }) {
    const [made] = await tx.query(issue, [orderId, documentNumber, at]);
    if (!made) return false;
    const [order] = await tx.query<Facts>(facts, [orderId]);
    if (!order)
      throw new NonRetryableError(`there is no order ${orderId} to make an invoice for`, { code: 'no-order' });
    const pdf = await renderInvoice({ ...order, number: documentNumber, totalCents: Number(order.totalCents) });
    await tx.execute(keep, [orderId, pdf]);
    return true;
  }

  @Subscribe(documentVoidRequested, { queue: DOCUMENTS_QUEUE.queue, concurrency: DOCUMENTS_QUEUE.concurrency })
  async onVoidRequested({ orderId }: Payload<typeof documentVoidRequested>, { tx }: HandlerContext): Promise<void> {
    const at = new Date().toISOString();
    await tx!.execute(voided, [orderId, at]);
    await outbox(tx!, documentVoided, { orderId, at }, { aggregate: orderId });
  }
}
