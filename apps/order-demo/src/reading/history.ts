import type { Order } from '@keelson/contracts';
import type { StepRecord } from '@keelson/messaging/saga';

/** What an order's rows hold of its course. */
export interface Milestones {
  documentNumber: string;
  acceptedAt: Date;
  status: Order['status'];
  endedAt?: Date | null;
  reason?: string | null;
  /** Of its saga; absent where that has not begun. */
  steps?: Readonly<Record<string, StepRecord>> | null;
  /** Why its saga takes back what was done. */
  compensating?: string | null;
}

type Step = Order['history'][number];

/** What the history calls a step of the saga that was done, that failed, and that was taken back; in their order. */
const WORDS: Readonly<Record<string, { done?: string; failed?: string; undone?: string }>> = {
  payment: { done: 'payment-taken', failed: 'payment-declined', undone: 'payment-refunded' },
  document: { done: 'document-issued', undone: 'document-voided' },
  coupon: { done: 'coupon-granted', undone: 'coupon-withdrawn' },
  notification: { done: 'sms-sent' },
};

/** The order's history: each step with its time, oldest first. Steps of the same instant keep their natural order. */
export function historyOf(order: Milestones): Step[] {
  const steps: Step[] = [];
  const add = (step: string | undefined, at: Date | string | null | undefined, detail?: string | null) => {
    if (!step || !at) return;
    steps.push({ step, at: typeof at === 'string' ? at : at.toISOString(), ...(detail ? { detail } : {}) });
  };
  const known = Object.keys(WORDS).flatMap((name) => {
    const step = order.steps?.[name];
    return step ? [{ step, words: WORDS[name]! }] : [];
  });
  add('stock-reserved', order.acceptedAt);
  add('document-numbered', order.acceptedAt, order.documentNumber);
  for (const { step, words } of known) {
    add(words.done, step.doneAt, step.undoneAt ? undefined : step.detail);
    add(words.failed, step.failedAt, step.detail);
  }
  const begun = Object.values(order.steps ?? {})
    .flatMap(({ undoingAt }) => undoingAt ?? [])
    .sort()[0];
  add('compensation-begun', begun, order.compensating);
  // What was never done is not taken back, only kept from being done.
  for (const { step, words } of known.toReversed()) {
    if (step.doneAt) add(words.undone, step.undoneAt, step.detail);
  }
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
    default:
      order.status satisfies never;
  }
  // RFC 3339 in UTC with fixed width sorts as text.
  return steps.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** `SO-2026` and 17 give `SO-2026-000017`. */
export const documentNumber = (series: string, number: number | string): string =>
  `${series}-${String(number).padStart(6, '0')}`;

/** The series a document belongs to: one a calendar year, UTC. */
export const seriesOf = (now: Date): string => `SO-${now.getUTCFullYear()}`;
