import { z } from 'zod';
import { defineApi } from '../http/endpoint.ts';
import { pageOf, pageQuery } from '../http/page.ts';
import { timestamp } from '../time.ts';
import { orderLine, orderStatus, placeOrderSchema, quoteSchema } from './order.ts';
import { sagaSchema, sagaState } from './saga.ts';
import { orderV2Schema, placeOrderV2Schema } from './v2.ts';

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

/** Made from order.confirmed.v2, so it follows the orders with a delay. */
export const customerAccountSchema = z
  .object({
    customer: z.string(),
    orders: z.number().int(),
    spentCents: z.number().int(),
    lastOrderAt: timestamp(),
  })
  .meta({ id: 'CustomerAccount' });

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
    'payment-declined': { status: 402, title: 'The payment provider declined the payment' },
    'already-confirmed': { status: 409, title: 'The order is confirmed and cannot be cancelled any more' },
  },
  endpoints: {
    placeOrder: {
      method: 'POST',
      path: '/v1/orders',
      scope: 'orders:write',
      summary:
        'Place an order; needs the header Idempotency-Key. With mode=sync it is paid, confirmed and answered 201 before the answer',
      query: z.object({ mode: z.enum(['async', 'sync']).default('async') }),
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
        'payment-declined',
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
    placeOrderV2: {
      method: 'POST',
      path: '/v2/orders',
      scope: 'orders:write',
      summary: 'Place an order in the shape of version 2: customer as an object, money with its currency',
      body: placeOrderV2Schema,
      response: orderV2Schema,
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
    getOrderV2: {
      method: 'GET',
      path: '/v2/orders/{id}',
      scope: 'orders:read',
      summary: 'One order in the shape of version 2',
      params: z.object({ id: z.uuid() }),
      response: orderV2Schema,
      status: 200,
      problems: ['not-found'],
    },
    listCustomers: {
      method: 'GET',
      path: '/v1/customers',
      scope: 'orders:read',
      summary: 'What each customer has bought, by name; a read model, made from messages a moment later',
      query: z.object({ ...pageQuery }),
      response: pageOf(customerAccountSchema),
      status: 200,
    },
    changePrice: {
      method: 'PUT',
      path: '/v1/stock/{sku}/price',
      scope: 'stock:write',
      summary: 'Set the price of an article; every process hears of it, orders already accepted keep theirs',
      params: z.object({ sku: orderLine.shape.sku }),
      body: z.strictObject({ priceCents: z.number().int().min(0).max(100_000_000) }),
      response: stockSchema,
      status: 200,
      problems: ['not-found'],
    },
    getInvoice: {
      method: 'GET',
      path: '/v1/orders/{id}/invoice',
      scope: 'orders:read',
      summary: 'The invoice of an order as PDF, once it is made; with ETag',
      params: z.object({ id: z.uuid() }),
      responseType: 'application/pdf',
      status: 200,
      problems: ['not-found'],
    },
    getOrderSaga: {
      method: 'GET',
      path: '/v1/orders/{id}/saga',
      scope: 'orders:read',
      summary: 'The process of one order: each step with its state and times, and why',
      params: z.object({ id: z.uuid() }),
      response: sagaSchema,
      status: 200,
      problems: ['not-found'],
    },
    listSagas: {
      method: 'GET',
      path: '/v1/sagas',
      scope: 'orders:read',
      summary: 'Processes of orders, newest first',
      query: z.object({ ...pageQuery, state: sagaState.optional() }),
      response: pageOf(sagaSchema),
      status: 200,
    },
    cancelOrder: {
      method: 'POST',
      path: '/v1/orders/{id}/cancel',
      scope: 'orders:write',
      summary: 'Cancel an order that is not confirmed yet: what was done for it is taken back, its stock last',
      params: z.object({ id: z.uuid() }),
      response: orderSchema,
      status: 202,
      problems: ['not-found', 'already-confirmed'],
      idempotent: true,
    },
    askQuote: {
      method: 'POST',
      path: '/v1/quotes',
      scope: 'orders:read',
      summary: 'What an order would cost and whether there is enough, asked of the inventory role; reserves nothing',
      body: z.strictObject({ lines: z.array(orderLine).min(1).max(100) }),
      response: quoteSchema,
      status: 200,
      problems: ['unknown-sku'],
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

export type Order = z.infer<typeof orderSchema>;
export type CustomerAccount = z.infer<typeof customerAccountSchema>;
export type Stock = z.infer<typeof stockSchema>;
export type Verdict = z.infer<typeof verdictSchema>;
