import type { Order } from '@keelson/contracts';

/** The times that an order's rows hold; null or absent where it has not come to that. */
export interface Milestones {
  documentNumber: string;
  acceptedAt: Date;
  documentAt?: Date | null;
  couponAt?: Date | null;
  notifiedAt?: Date | null;
  withdrawnAt?: Date | null;
  status: Order['status'];
  endedAt?: Date | null;
  reason?: string | null;
}

type Step = Order['history'][number];

/** The order's history: each step with its time, oldest first. Steps of the same instant keep their natural order. */
export function historyOf(order: Milestones): Step[] {
  const steps: Step[] = [];
  const add = (step: string, at: Date | null | undefined, detail?: string | null) => {
    if (at) steps.push({ step, at: at.toISOString(), ...(detail ? { detail } : {}) });
  };
  add('stock-reserved', order.acceptedAt);
  add('document-numbered', order.acceptedAt, order.documentNumber);
  add('document-issued', order.documentAt);
  add('coupon-granted', order.couponAt);
  add('sms-sent', order.notifiedAt);
  switch (order.status) {
    case 'accepted':
      break;
    case 'confirmed':
      add('confirmed', order.endedAt);
      break;
    case 'compensated':
      add('stock-released', order.endedAt);
      add('compensated', order.endedAt, order.reason);
      break;
  }
  add('coupon-withdrawn', order.withdrawnAt);
  // RFC 3339 in UTC with fixed width sorts as text.
  return steps.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** `SO-2026` and 17 give `SO-2026-000017`. */
export const documentNumber = (series: string, number: number | string): string =>
  `${series}-${String(number).padStart(6, '0')}`;

/** The series a document belongs to: one a calendar year, UTC. */
export const seriesOf = (now: Date): string => `SO-${now.getUTCFullYear()}`;
