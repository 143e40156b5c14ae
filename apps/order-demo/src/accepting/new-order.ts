import type { PlaceOrder } from '@keelson/contracts';
import { hash } from 'node:crypto';

/** An order as it is handed to the database: checked, but not yet promised anything. */
export interface NewOrder extends PlaceOrder {
  id: string;
  team: string;
  /** Id of whoever placed it: the owner of the key. */
  principal: string;
  key: string;
  fingerprint: string;
  /** W3C trace context of the request, so that the messages belong to its trace. */
  traceparent?: string;
}

/** A line that cannot be had. `available` is absent where the SKU is unknown. */
export interface LineFault {
  line: number;
  sku: string;
  available?: number;
}

interface Known {
  id: string;
  series: string;
  number: string;
  totalCents: number;
  acceptedAt: Date;
  acceptedBy: string;
}

/** What became of an order at the door. */
export type Outcome =
  | ({ kind: 'accepted' } & Known)
  /** The key is known with the same body: the first answer again. */
  | ({ kind: 'replayed' } & Known)
  /** The key is known with another body. */
  | { kind: 'reused' }
  | { kind: 'unknown-sku'; faults: readonly LineFault[] }
  | { kind: 'out-of-stock'; faults: readonly LineFault[] }
  /** It alone could not be written; the others of its batch could. */
  | { kind: 'failed'; cause: unknown };

/**
 * Tells one body from another. The body comes from the schema, which gives its fields in a fixed order, so equal
 * orders give equal text whatever the order of fields on the wire.
 */
export const fingerprintOf = (order: PlaceOrder): string => hash('sha256', JSON.stringify(order), 'base64url');

/**
 * The pointer to the first text that PostgreSQL cannot store as jsonb (NUL, or half of a surrogate pair), if any. One
 * such order would make the statement fail for the whole batch it is in.
 */
export function unstorableText(order: PlaceOrder): string | undefined {
  const bad = (text: string) => text.includes('\0') || !text.isWellFormed();
  if (bad(order.customer)) return '/customer';
  const line = order.lines.findIndex(({ sku }) => bad(sku));
  return line < 0 ? undefined : `/lines/${line}/sku`;
}
