import { defineMessage, messageDiscarded, messageParked, messageRedriven } from '@keelson/contracts';
import { z } from 'zod';

export const orderPlaced = defineMessage({
  name: 'test.placed',
  version: 1,
  producer: 'test',
  summary: 'An order was placed',
  schema: z.object({ orderId: z.string(), amount: z.number().int() }),
});

export const orderShipped = defineMessage({
  name: 'test.shipped',
  version: 1,
  producer: 'test',
  summary: 'An order was shipped',
  schema: z.object({ orderId: z.string() }),
});

export const catalogue = Object.fromEntries(
  [orderPlaced, orderShipped, messageParked, messageRedriven, messageDiscarded].map((message) => [
    message.routingKey,
    message,
  ]),
);
