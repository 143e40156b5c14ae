import { z } from 'zod';

/** Query of every list: opaque cursor from the previous page, and how many rows. */
export const pageQuery = {
  cursor: z.string().max(512).optional().describe('`next` of the previous page'),
  limit: z.coerce.number().int().min(1).max(500).default(50).describe('rows on a page'),
};

/** A page of rows; `next` is absent on the last one. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next: z.string().optional() });
