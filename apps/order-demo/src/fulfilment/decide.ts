import type { OrderStatus } from '@keelson/contracts';

/** What the process manager waits for, in the order in which it is asked for. */
export const NEEDED = ['document', 'coupon', 'notification'] as const;
export type Needed = (typeof NEEDED)[number];

/** An order as the process manager knows it. */
export interface OrderProgress {
  id: string;
  status: OrderStatus;
  acceptedAt: Date;
  /** Which of the three were reported done. Messages may come in any order and more than once. */
  done: ReadonlySet<Needed>;
}

export type NextStep =
  | { kind: 'confirm' }
  | { kind: 'compensate'; reason: string }
  | { kind: 'wait'; for: readonly Needed[]; until: Date }
  | { kind: 'ended' };

/**
 * What to do with an order now. Confirmed once all three are done; compensated when the deadline passes first, so that
 * an order nobody can finish (a message that fails every time and was parked) ends by itself and gives its stock back.
 * Ignores whatever comes after the end.
 */
export function decide(order: OrderProgress, now: Date, options: { deadlineMs: number }): NextStep {
  switch (order.status) {
    case 'confirmed':
    case 'compensated':
      return { kind: 'ended' };
    case 'accepted': {
      const missing = NEEDED.filter((needed) => !order.done.has(needed));
      if (missing.length === 0) return { kind: 'confirm' };
      const until = new Date(order.acceptedAt.getTime() + options.deadlineMs);
      if (now < until) return { kind: 'wait', for: missing, until };
      return {
        kind: 'compensate',
        reason: `no ${missing.join(', no ')} within ${options.deadlineMs / 1000} s of acceptance`,
      };
    }
    default:
      return assertNever(order.status);
  }
}

function assertNever(value: never): never {
  throw new Error(`unknown order status ${JSON.stringify(value)}`);
}
