/** One payment for one order. The reference (the order's id) is the idempotency key too: it is taken once. */
export interface Charge {
  reference: string;
  amountCents: number;
  description: string;
}

export type ChargeOutcome = { kind: 'taken'; paymentId: string } | { kind: 'declined'; reason: string };

export type ReversalOutcome = 'refunded' | 'never-taken';

/** A payment in the provider's books. */
export interface LedgerEntry {
  id: string;
  reference: string;
  amountCents: number;
  refundedCents: number;
  status: 'succeeded' | 'declined' | 'reversed';
}

/**
 * Where money is taken. Each call may be made again with the same reference and takes or gives back once.
 *
 * Throws RetryableError where nobody can say what happened, ThrottledError where the provider said when to come back or
 * is not asked at all for the moment, NonRetryableError where it refuses the request itself.
 */
export abstract class PaymentProvider {
  abstract charge(charge: Charge, signal?: AbortSignal): Promise<ChargeOutcome>;
  /** Gives back what was taken for the reference; where nothing was, nothing will be taken for it any more. */
  abstract reverse(reference: string, signal?: AbortSignal): Promise<ReversalOutcome>;
  /** All payments it knows, in pages: for the verifier. */
  abstract ledger(): AsyncIterable<readonly LedgerEntry[]>;
}
