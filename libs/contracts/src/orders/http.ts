import { z } from 'zod';
import { defineApi } from '../http/endpoint.ts';
import { pageOf, pageQuery } from '../http/page.ts';
import { timestamp } from '../time.ts';

export const orderStatus = z.enum(['accepted', 'confirmed', 'compensated']);

export const orderLine = z.strictObject({
  sku: z.string().min(1).max(64),
  quantity: z.number().int().min(1).max(1000),
});

export const placeOrderSchema = z
  .strictObject({
    customer: z.string().min(1).max(128),
    /** E.164; the SMS goes there. */
    phone: z.string().regex(/^\+[1-9][0-9]{6,14}$/, 'must be an E.164 number: + and 7 to 15 digits'),
    lines: z.array(orderLine).min(1).max(100),
  })
  .meta({ id: 'PlaceOrder' });

export const orderSchema = z
  .object({
    id: z.uuid(),
    /** Gapless document number of the order: `SO-2026-000001`. */
    documentNumber: z.string(),
    status: orderStatus,
    customer: z.string(),
    lines: z.array(orderLine),
    totalCents: z.number().int(),
    acceptedAt: timestamp(),
    /** Version of the service that accepted it. */
    acceptedBy: z.string(),
    /** Each step with its time: `stock-reserved`, `document-numbered`, `coupon-granted`, `sms-sent`, `confirmed`, ... */
    history: z.array(z.object({ step: z.string(), at: timestamp(), detail: z.string().optional() })),
  })
  .meta({ id: 'Order' });

export const stockSchema = z
  .object({
    sku: z.string(),
    available: z.number().int(),
    reserved: z.number().int(),
    sold: z.number().int(),
    priceCents: z.number().int(),
  })
  .meta({ id: 'Stock' });

export const verdictSchema = z
  .object({
    accepted: z.number().int(),
    confirmed: z.number().int(),
    compensated: z.number().int(),
    /** Accepted, but neither confirmed nor compensated, and nothing is on its way that could end it. */
    lost: z.array(z.string()),
    /** Orders with two coupons, two SMS, two documents or two reservations. */
    doubled: z.array(z.string()),
    /** Accepted longer ago than the grace time and not ended. */
    stuck: z.array(z.string()),
    /** SKUs whose stock is below zero or does not add up. */
    negative: z.array(z.string()),
    /** Why each of the above was named. */
    findings: z
      .array(z.object({ kind: z.enum(['lost', 'doubled', 'stuck', 'negative']), id: z.string(), reason: z.string() }))
      .optional(),
    /** When the database was read; everything is from one snapshot. */
    readAt: timestamp().optional(),
    ok: z.boolean(),
  })
  .meta({ id: 'Verdict' });

/** HTTP contract of order-demo. */
export const ordersApi = defineApi({
  service: 'order-demo',
  title: 'Keelson order demo',
  version: '1.0.0',
  problems: {
    'unknown-sku': { status: 422, title: 'The order names an article that does not exist' },
    'out-of-stock': { status: 409, title: 'There is not enough stock for the order' },
    'already-confirmed': { status: 409, title: 'The order is confirmed and cannot be cancelled any more' },
  },
  endpoints: {
    placeOrder: {
      method: 'POST',
      path: '/v1/orders',
      scope: 'orders:write',
      summary: 'Place an order; needs the header Idempotency-Key',
      body: placeOrderSchema,
      response: orderSchema,
      status: 202,
      problems: [
        'unknown-sku',
        'out-of-stock',
        'idempotency-key-missing',
        'idempotency-key-reused',
        'idempotency-key-in-progress',
        'overloaded',
      ],
      idempotent: true,
    },
    listOrders: {
      method: 'GET',
      path: '/v1/orders',
      scope: 'orders:read',
      summary: 'List orders, newest first',
      query: z.object({ ...pageQuery, status: orderStatus.optional(), customer: z.string().max(128).optional() }),
      response: pageOf(orderSchema),
      status: 200,
    },
    getOrder: {
      method: 'GET',
      path: '/v1/orders/{id}',
      scope: 'orders:read',
      summary: 'One order with its history',
      params: z.object({ id: z.uuid() }),
      response: orderSchema,
      status: 200,
      problems: ['not-found'],
    },
    cancelOrder: {
      method: 'POST',
      path: '/v1/orders/{id}/cancel',
      scope: 'orders:write',
      summary: 'Cancel an order that is not confirmed yet; its stock is released',
      params: z.object({ id: z.uuid() }),
      response: orderSchema,
      status: 202,
      problems: ['not-found', 'already-confirmed'],
      idempotent: true,
    },
    listStock: {
      method: 'GET',
      path: '/v1/stock',
      scope: 'orders:read',
      summary: 'Stock of every article',
      query: z.object({ ...pageQuery }),
      response: pageOf(stockSchema),
      status: 200,
    },
    verifyOrders: {
      method: 'GET',
      path: '/v1/verification',
      scope: 'orders:read',
      summary: 'Read the database and name every order that is lost, doubled or stuck, and stock that does not add up',
      query: z.object({ graceSeconds: z.coerce.number().int().min(0).max(86_400).default(30) }),
      response: verdictSchema,
      status: 200,
    },
  },
});

export type PlaceOrder = z.infer<typeof placeOrderSchema>;
export type Order = z.infer<typeof orderSchema>;
export type OrderStatus = z.infer<typeof orderStatus>;
export type Stock = z.infer<typeof stockSchema>;
export type Verdict = z.infer<typeof verdictSchema>;
