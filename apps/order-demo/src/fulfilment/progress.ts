import { couponGranted, couponWithdrawn, documentIssued, notificationSent } from '@keelson/contracts';
import type { Tx } from '@keelson/persistence';

/** The messages that tell the process manager what has been done for an order. */
export const progressMessages = [documentIssued, couponGranted, notificationSent, couponWithdrawn] as const;
export type ProgressName = (typeof progressMessages)[number]['name'];

// A row appears with whatever comes first; each time is kept as it was first reported. Locks this order's row only.
const note = (column: string) => /* sql */ `
INSERT INTO order_process AS p (order_id, ${column}) VALUES ($1, $2)
ON CONFLICT (order_id) DO UPDATE SET ${column} = coalesce(p.${column}, excluded.${column})
RETURNING NOT p.ended AND p.document_at IS NOT NULL AND p.coupon_at IS NOT NULL AND p.notified_at IS NOT NULL AS complete`;

const statements: Readonly<Record<ProgressName, string>> = {
  'document.issued': note('document_at'),
  'coupon.granted': note('coupon_at'),
  'notification.sent': note('notified_at'),
  'coupon.withdrawn': note('withdrawn_at'),
};

/** Notes one step of an order. True when nothing is missing any more, so that the order can be confirmed. */
export async function noteProgress(
  tx: Tx,
  name: ProgressName,
  payload: { orderId: string; at: string },
): Promise<boolean> {
  const [row] = await tx.query<{ complete: boolean }>(statements[name], [payload.orderId, payload.at]);
  return row?.complete === true;
}
