import { NonRetryableError, RetryableError, ThrottledError } from '@keelson/messaging';
import { histogram, tracedFetch } from '@keelson/service-kit';
import { z } from 'zod';
import {
  type Charge,
  type ChargeOutcome,
  type LedgerEntry,
  PaymentProvider,
  type ReversalOutcome,
} from './provider.ts';

export interface HttpPaymentOptions {
  /** The only address that is ever called. */
  url: string;
  token: string;
  timeoutMs: number;
}

const payment = z.object({
  id: z.string(),
  reference: z.string(),
  amountCents: z.number().int(),
  refundedCents: z.number().int(),
  status: z.enum(['succeeded', 'declined', 'reversed']),
  declineCode: z.string().optional(),
});
const reversal = z.object({ outcome: z.enum(['refunded', 'never-taken']) });
const ledgerPage = z.object({ entries: z.array(payment), next: z.number().int() });

const took = histogram({
  name: 'order_demo_payment_seconds',
  help: 'Time the payment provider took to answer',
  labelNames: ['operation', 'outcome'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
});

/** The provider over HTTP: time limit, idempotency key; no redirect is followed. One that fails is left alone by PAYMENTS_QUEUE. */
export class HttpPaymentProvider extends PaymentProvider {
  readonly #options: HttpPaymentOptions;

  constructor(options: HttpPaymentOptions) {
    super();
    this.#options = options;
  }

  async charge({ reference, amountCents, description }: Charge, signal?: AbortSignal): Promise<ChargeOutcome> {
    const body = { reference, amountCents, currency: 'EUR', description };
    const answer = await this.#post('/v1/payments', `charge-${reference}`, body, payment, signal);
    return answer.status === 'declined'
      ? { kind: 'declined', reason: answer.declineCode ?? 'no reason given' }
      : { kind: 'taken', paymentId: answer.id };
  }

  async reverse(reference: string, signal?: AbortSignal): Promise<ReversalOutcome> {
    return (await this.#post('/v1/reversals', `reversal-${reference}`, { reference }, reversal, signal)).outcome;
  }

  async *ledger(): AsyncIterable<readonly LedgerEntry[]> {
    for (let after = 0; ;) {
      const response = await this.#fetch(`/v1/ledger?after=${after}`, { method: 'GET' });
      const { entries, next } = await read(response, ledgerPage);
      if (entries.length === 0) return;
      yield entries;
      after = next;
    }
  }

  async #post<T>(path: string, key: string, body: object, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
    const startedAt = performance.now();
    let outcome = 'failed';
    try {
      const headers = { 'content-type': 'application/json', 'idempotency-key': key };
      const response = await this.#fetch(path, { method: 'POST', headers, body: JSON.stringify(body), signal });
      const result = await read(response, schema);
      outcome = 'answered';
      return result;
    } finally {
      took.observe({ operation: path.split('/')[2]!, outcome }, (performance.now() - startedAt) / 1000);
    }
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const { url, token, timeoutMs } = this.#options;
    const limit = AbortSignal.timeout(timeoutMs);
    try {
      return await tracedFetch(url.replace(/\/$/, '') + path, {
        ...init,
        headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${token}` },
        // Where it would send us is not where we were told to go.
        redirect: 'error',
        signal: init.signal ? AbortSignal.any([limit, init.signal]) : limit,
      });
    } catch (error) {
      const why = limit.aborted ? `did not answer within ${timeoutMs} ms` : causeOf(error);
      throw new RetryableError(`the payment provider ${why}; whether it did what it was asked is not known`, {
        cause: error,
      });
    }
  }
}

async function read<T>(response: Response, schema: z.ZodType<T>): Promise<T> {
  const text = await response.text().catch((error: unknown) => {
    throw new RetryableError('the payment provider broke off its answer', { cause: error });
  });
  if (response.status === 409 || response.status === 429) {
    throw new ThrottledError(`the payment provider answers ${response.status}`, retryAfterMs(response));
  }
  if (response.status >= 500) throw new RetryableError(`the payment provider answers ${response.status}`);
  if (!response.ok) {
    throw new NonRetryableError(
      `the payment provider refuses the request with ${response.status}: ${text.slice(0, 200)}`,
      {
        code: 'payment-refused',
      },
    );
  }
  const parsed = schema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  // It may have done it all the same: asked again, it says the same thing or makes sense.
  throw new RetryableError(`the payment provider's answer makes no sense: ${z.prettifyError(parsed.error)}`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const retryAfterMs = (response: Response): number =>
  Math.max(1, Number(response.headers.get('retry-after')) || 1) * 1000;

const causeOf = (error: unknown): string => {
  const { message, cause } = error as { message?: string; cause?: { message?: string; code?: string } };
  return `cannot be reached: ${cause?.message || cause?.code || message || 'unknown reason'}`;
};
