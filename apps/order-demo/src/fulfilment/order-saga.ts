import {
  couponGranted,
  couponWithdrawalRequested,
  couponWithdrawn,
  documentIssued,
  documentVoided,
  documentVoidRequested,
  notificationSent,
  orderAccepted,
  orderCompensated,
  orderConfirmed,
  orderConfirmedV2,
  orderPaid,
  paymentDeclined,
  paymentRefunded,
  paymentRefundRequested,
  paymentRequested,
  paymentTaken,
} from '@keelson/contracts';
import { defineSaga, report, type SagaDefinition, send, startedBy } from '@keelson/messaging/saga';

/** What the order's process must know to ask the others. */
export interface OrderFacts {
  readonly documentNumber: string;
  readonly customer: string;
  readonly phone: string;
  readonly totalCents: number;
}

const keyOf = ({ orderId }: { orderId: string }) => orderId;
const toOrder = ({ key }: { key: string }) => ({ orderId: key });

/**
 * An accepted order's way to its end. Stock is reserved and the document numbered before it starts, in the transaction
 * that answers the customer. Compensation: coupon, document, payment, stock.
 */
export const orderSaga = (deadlineMs: number): SagaDefinition<OrderFacts> =>
  defineSaga<OrderFacts>({
    name: 'order',
    version: 1,
    start: startedBy(orderAccepted, keyOf, ({ documentNumber, customer, phone, totalCents }) => ({
      documentNumber,
      customer,
      phone,
      totalCents,
    })),
    deadlineMs,
    undoRetryMs: 30_000,
    stages: [
      { steps: [{ name: 'stock', kind: 'before', undo: { kind: 'local' } }] },
      {
        request: send(paymentRequested, ({ key, data }) => ({
          orderId: key,
          documentNumber: data.documentNumber,
          amountCents: data.totalCents,
        })),
        steps: [
          {
            name: 'payment',
            kind: 'reported',
            done: report(paymentTaken, keyOf, { detail: ({ paymentId }) => paymentId }),
            failed: report(paymentDeclined, keyOf, { detail: ({ reason }) => reason }),
            undo: {
              kind: 'message',
              // Money that is owed waits behind no new charge.
              request: send(paymentRefundRequested, toOrder, { priority: 'high' }),
              done: report(paymentRefunded, keyOf, { detail: ({ outcome }) => outcome }),
            },
          },
        ],
      },
      {
        request: send(orderPaid, ({ key, data, now }) => ({ orderId: key, ...data, at: now.toISOString() })),
        steps: [
          {
            name: 'document',
            kind: 'reported',
            done: report(documentIssued, keyOf),
            undo: {
              kind: 'message',
              request: send(documentVoidRequested, toOrder),
              done: report(documentVoided, keyOf),
            },
          },
          {
            name: 'coupon',
            kind: 'reported',
            done: report(couponGranted, keyOf),
            undo: {
              kind: 'message',
              request: send(couponWithdrawalRequested, toOrder),
              done: report(couponWithdrawn, keyOf),
            },
          },
          // An SMS cannot be called back; the notifications role sends none once the order is compensated.
          { name: 'notification', kind: 'reported', done: report(notificationSent, keyOf) },
        ],
      },
      // Its stock is sold: many orders in one transaction, since each of a few articles is one row.
      { steps: [{ name: 'sale', kind: 'local' }] },
    ],
    // Version 1 for those who still read it, version 2 for the others.
    completed: [
      send(orderConfirmed, ({ key, now }) => ({ orderId: key, at: now.toISOString() }), { mandatory: false }),
      send(orderConfirmedV2, ({ key, data, now }) => ({
        orderId: key,
        documentNumber: data.documentNumber,
        customer: data.customer,
        total: { cents: data.totalCents, currency: 'EUR' as const },
        at: now.toISOString(),
      })),
    ],
    compensated: [send(orderCompensated, ({ key, now, reason }) => ({ orderId: key, at: now.toISOString(), reason }))],
  });
