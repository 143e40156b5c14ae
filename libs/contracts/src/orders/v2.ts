import { z } from 'zod';
import { timestamp } from '../time.ts';
import { orderLine, orderStatus, placeOrderSchema } from './order.ts';

/** Money as version 2 says it: with its currency. */
export const moneySchema = z.object({ cents: z.number().int(), currency: z.literal('EUR') }).meta({ id: 'Money' });

export const placeOrderV2Schema = z
  .strictObject({
    customer: z.strictObject({ name: placeOrderSchema.shape.customer, phone: placeOrderSchema.shape.phone }),
    lines: placeOrderSchema.shape.lines,
  })
  .meta({ id: 'PlaceOrderV2' });

export const orderV2Schema = z
  .object({
    id: z.uuid(),
    number: z.string(),
    status: orderStatus,
    customer: z.object({ name: z.string() }),
    lines: z.array(orderLine),
    total: moneySchema,
    accepted: z.object({ at: timestamp(), by: z.string() }),
    links: z.object({ self: z.string(), saga: z.string(), invoice: z.string() }),
  })
  .meta({ id: 'OrderV2' });

export type PlaceOrderV2 = z.infer<typeof placeOrderV2Schema>;
export type OrderV2 = z.infer<typeof orderV2Schema>;
