import { z } from 'zod';

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

export const quoteSchema = z
  .object({
    lines: z.array(z.object({ ...orderLine.shape, priceCents: z.number().int(), available: z.boolean() })),
    totalCents: z.number().int(),
    available: z.boolean(),
  })
  .meta({ id: 'Quote' });

export type Quote = z.infer<typeof quoteSchema>;
export type PlaceOrder = z.infer<typeof placeOrderSchema>;
export type OrderStatus = z.infer<typeof orderStatus>;
