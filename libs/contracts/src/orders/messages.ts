import { z } from 'zod';
import { defineMessage } from '../messages/message.ts';
import { timestamp } from '../time.ts';
import { orderLine } from './http.ts';

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
  summary: 'The order was compensated, so its coupon is void',
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
