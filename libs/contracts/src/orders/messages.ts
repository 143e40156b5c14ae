import { z } from 'zod';
import { defineMessage } from '../messages/message.ts';
import { defineRequest } from '../messages/request.ts';
import { timestamp } from '../time.ts';
import { orderLine, quoteSchema } from './order.ts';

export const orderAccepted = defineMessage({
  name: 'order.accepted',
  version: 1,
  producer: 'order-demo',
  summary: 'Stock is reserved and the document numbered; the rest follows',
  schema: z.object({
    orderId: z.uuid(),
    documentNumber: z.string(),
    customer: z.string(),
    phone: z.string(),
    lines: z.array(orderLine),
    totalCents: z.number().int(),
    acceptedAt: timestamp(),
  }),
});

export const couponGranted = defineMessage({
  name: 'coupon.granted',
  version: 1,
  producer: 'order-demo',
  summary: 'The coupon of an order was granted, once',
  schema: z.object({ orderId: z.uuid(), couponId: z.uuid(), at: timestamp() }),
});

export const couponWithdrawn = defineMessage({
  name: 'coupon.withdrawn',
  version: 1,
  producer: 'order-demo',
  summary: 'There is no valid coupon for an order, and will be none',
  schema: z.object({ orderId: z.uuid(), couponId: z.uuid(), at: timestamp() }),
});

export const notificationSent = defineMessage({
  name: 'notification.sent',
  version: 1,
  producer: 'order-demo',
  summary: 'The SMS of an order was handed over, once',
  schema: z.object({ orderId: z.uuid(), notificationId: z.uuid(), at: timestamp() }),
});

export const documentIssued = defineMessage({
  name: 'document.issued',
  version: 1,
  producer: 'order-demo',
  summary: 'The document of an order was made, once',
  schema: z.object({ orderId: z.uuid(), documentNumber: z.string(), at: timestamp() }),
});

export const orderConfirmed = defineMessage({
  name: 'order.confirmed',
  version: 1,
  producer: 'order-demo',
  summary: 'Everything an order needs is done; its stock is sold',
  schema: z.object({ orderId: z.uuid(), at: timestamp() }),
});

export const orderCompensated = defineMessage({
  name: 'order.compensated',
  version: 1,
  producer: 'order-demo',
  summary: 'The order will not be fulfilled; its stock is free again',
  schema: z.object({ orderId: z.uuid(), at: timestamp(), reason: z.string() }),
});

export const paymentRequested = defineMessage({
  name: 'payment.requested',
  version: 1,
  producer: 'order-demo',
  summary: 'The money for an order is to be taken, once',
  schema: z.object({ orderId: z.uuid(), documentNumber: z.string(), amountCents: z.number().int() }),
});

export const paymentTaken = defineMessage({
  name: 'payment.taken',
  version: 1,
  producer: 'order-demo',
  summary: 'The provider took the money for an order, once',
  schema: z.object({ orderId: z.uuid(), paymentId: z.string(), amountCents: z.number().int(), at: timestamp() }),
});

export const paymentDeclined = defineMessage({
  name: 'payment.declined',
  version: 1,
  producer: 'order-demo',
  summary: 'The provider will not take the money for an order',
  schema: z.object({ orderId: z.uuid(), reason: z.string(), at: timestamp() }),
});

export const paymentRefundRequested = defineMessage({
  name: 'payment.refund-requested',
  version: 1,
  producer: 'order-demo',
  summary: 'The money for an order is to be given back, or never taken where it was not yet',
  schema: z.object({ orderId: z.uuid() }),
});

export const paymentRefunded = defineMessage({
  name: 'payment.refunded',
  version: 1,
  producer: 'order-demo',
  summary: 'The provider holds no money for an order, and will take none',
  schema: z.object({ orderId: z.uuid(), outcome: z.enum(['refunded', 'never-taken']), at: timestamp() }),
});

export const orderPaid = defineMessage({
  name: 'order.paid',
  version: 1,
  producer: 'order-demo',
  summary: 'An order is paid: document, coupon and SMS follow',
  schema: z.object({
    orderId: z.uuid(),
    documentNumber: z.string(),
    customer: z.string(),
    phone: z.string(),
    totalCents: z.number().int(),
    at: timestamp(),
  }),
});

export const couponWithdrawalRequested = defineMessage({
  name: 'coupon.withdrawal-requested',
  version: 1,
  producer: 'order-demo',
  summary: 'The coupon of an order is to be taken back, or never granted where it was not yet',
  schema: z.object({ orderId: z.uuid() }),
});

export const documentVoidRequested = defineMessage({
  name: 'document.void-requested',
  version: 1,
  producer: 'order-demo',
  summary: 'The document of an order is to be voided, or never issued where it was not yet',
  schema: z.object({ orderId: z.uuid() }),
});

export const documentVoided = defineMessage({
  name: 'document.voided',
  version: 1,
  producer: 'order-demo',
  summary: 'There is no valid document of an order, and will be none',
  schema: z.object({ orderId: z.uuid(), at: timestamp() }),
});

/** Beside version 1, which others still read: what a consumer needs to know of the order, without asking for it. */
export const orderConfirmedV2 = defineMessage({
  name: 'order.confirmed',
  version: 2,
  producer: 'order-demo',
  summary: 'Everything an order needs is done; its stock is sold',
  schema: z.object({
    orderId: z.uuid(),
    documentNumber: z.string(),
    customer: z.string(),
    total: z.object({ cents: z.number().int(), currency: z.literal('EUR') }),
    at: timestamp(),
  }),
});

export const couponExpired = defineMessage({
  name: 'coupon.expired',
  version: 1,
  producer: 'order-demo',
  summary: 'The time of a coupon is over; scheduled when it is granted, cancelled when it is withdrawn',
  schema: z.object({ orderId: z.uuid(), couponId: z.uuid(), at: timestamp() }),
});

/**
 * Says what version 1 called `at`, which everywhere else is when something happened. A schedule holds messages for as
 * long as coupons are good, so version 1 still arrives then: lifted, whoever subscribes to this one gets both.
 */
export const couponExpiredV2 = defineMessage({
  name: 'coupon.expired',
  version: 2,
  producer: 'order-demo',
  summary: couponExpired.summary,
  schema: z.object({ orderId: z.uuid(), couponId: z.uuid(), validUntil: timestamp() }),
  upcast: { from: couponExpired, lift: ({ at, ...coupon }) => ({ ...coupon, validUntil: at }) },
});

export const priceChanged = defineMessage({
  name: 'price.changed',
  version: 1,
  producer: 'order-demo',
  summary: 'An article has another price; every process hears of it',
  schema: z.object({ sku: z.string(), priceCents: z.number().int(), at: timestamp() }),
});

export const quoteRequested = defineRequest({
  name: 'quote.requested',
  version: 1,
  producer: 'order-demo',
  summary: 'What would these lines cost, and are there enough of them?',
  schema: z.object({ lines: z.array(orderLine).min(1) }),
  reply: quoteSchema,
});
