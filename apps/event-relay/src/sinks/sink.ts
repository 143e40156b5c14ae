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
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${wordsOf(error.cause)}` : '';
  return { kind: 'retry', afterMs: undefined, reason: `${wordsOf(error)}${cause}` };
}

/** Never empty: of several addresses that were tried in vain, Node's error has no message of its own. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error) || 'it failed without a word';
  const tried = error instanceof AggregateError ? (error.errors[0] as Error | undefined)?.message : undefined;
  return error.message || tried || (error as NodeJS.ErrnoException).code || error.name;
}

/** Longest that a receiver's word is taken for, ms: one that says "in ten years" is asked again all the same. */
const LONGEST_WAIT_MS = 3_600_000;

/** What an HTTP status says about a delivery: 2xx is done, 408, 425, 429 and 5xx may come right, the rest will not. */
export function outcomeOfStatus(status: number, retryAfterHeader: string | null, said: string): Outcome {
  if (status >= 200 && status < 300) return DELIVERED;
  const reason = `HTTP ${status}${said === '' ? '' : `: ${said.slice(0, 500)}`}`;
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return { kind: 'retry', afterMs: waitOf(retryAfterHeader), reason };
  return { kind: 'rejected', reason };
}

/** Retry-After, in seconds or as a date (RFC 9110, 10.2.3), as ms from now. */
function waitOf(header: string | null): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), LONGEST_WAIT_MS);
}
