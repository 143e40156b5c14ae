import type { Order, OrderV2, PlaceOrder, PlaceOrderV2 } from '@keelson/contracts';

/** What version 2 calls the same order. Both versions are served side by side by every process. */
export const orderV2 = (order: Order): OrderV2 => ({
  id: order.id,
  number: order.documentNumber,
  status: order.status,
  customer: { name: order.customer },
  lines: order.lines,
  total: { cents: order.totalCents, currency: 'EUR' },
  accepted: { at: order.acceptedAt, by: order.acceptedBy },
  links: {
    self: `/v2/orders/${order.id}`,
    saga: `/v1/orders/${order.id}/saga`,
    invoice: `/v1/orders/${order.id}/invoice`,
  },
});

/** The fields in the order of version 1, so that the same order under the same key is the same in both. */
export const placeOrderOfV2 = ({ customer, lines }: PlaceOrderV2): PlaceOrder => ({
  customer: customer.name,
  phone: customer.phone,
  lines,
});
