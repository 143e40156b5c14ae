import { registerProblems } from '@keelson/service-kit';

/** Problems that only order-demo answers. */
export const orderProblems = {
  'unknown-sku': { status: 422, title: 'The order names an article that does not exist' },
  'out-of-stock': { status: 409, title: 'There is not enough stock for the order' },
  'already-confirmed': { status: 409, title: 'The order is confirmed and cannot be cancelled any more' },
} as const;

registerProblems(orderProblems);
