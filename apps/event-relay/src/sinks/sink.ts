import type { Sink as SinkView } from '@keelson/contracts';
import type { JournalEntry } from '../journal/entry.ts';

/** What became of one delivery. Returned, never only logged: the cursor moves by it. */
export type Outcome =
  | { readonly kind: 'delivered' }
  /** Not now; the same entry is tried again after this long, and those behind it wait. */
  | { readonly kind: 'retry'; readonly afterMs: number | undefined; readonly reason: string }
  /** Never: the sink will not take this entry however often it is asked. It becomes a dead letter. */
  | { readonly kind: 'rejected'; readonly reason: string };

export const DELIVERED: Outcome = { kind: 'delivered' };

/**
 * Somewhere events go. `deliver` gets entries in journal order and answers for as many of them as it dealt with, from
 * the first on: fewer outcomes than entries, or a retry among them, end the batch there. It must not throw for what the
 * other side did; what it throws is taken for a retry. The same entry may come twice (at least once).
 */
export interface Sink {
  readonly kind: SinkView['kind'];
  /** How many entries it wants at a time. */
  readonly batchSize: number;
  deliver(entries: readonly JournalEntry[], signal: AbortSignal): Promise<readonly Outcome[]>;
  close(): Promise<void>;
}

/** A retry for something that went wrong on the way: no answer, refused connection, time-out. */
export function retryAfter(error: unknown): Outcome {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return {
    kind: 'retry',
    afterMs: undefined,
    reason: `${error instanceof Error ? error.message : String(error)}${cause}`,
  };
}

/** What an HTTP status says about a delivery: 2xx is done, 408, 425, 429 and 5xx may come right, the rest will not. */
export function outcomeOfStatus(status: number, retryAfterHeader: string | null, said: string): Outcome {
  if (status >= 200 && status < 300) return DELIVERED;
  const reason = `HTTP ${status}${said === '' ? '' : `: ${said.slice(0, 500)}`}`;
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const seconds = retryAfterHeader === null ? Number.NaN : Number(retryAfterHeader);
    return { kind: 'retry', afterMs: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined, reason };
  }
  return { kind: 'rejected', reason };
}
