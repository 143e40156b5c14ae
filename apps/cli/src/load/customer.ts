import { setTimeout as pause } from 'node:timers/promises';
import { request, type Dispatcher } from 'undici';
import type { Answer } from './open-model.ts';
import type { Send } from './sends.ts';

/** What a customer does with an answer that is no success: nothing, come again after 429, or insist until it is accepted. */
export const RETRIES = ['none', '429', 'all'] as const;
export type Retry = (typeof RETRIES)[number];

export interface CustomerOptions {
  readonly url: URL;
  readonly token: string;
  readonly dispatcher: Dispatcher;
  readonly skus: readonly string[];
  /** In front of each idempotency key: two loads on one database do not share keys. */
  readonly run: string;
  readonly retry: Retry;
  /** How long one order is sent again and again. */
  readonly retryForMs: number;
  readonly signal: AbortSignal;
  /** Told the id of each order that was answered 202 or 201. */
  readonly onAccepted?: (id: string) => void;
}

/** Where an answer gives no time to wait, so long until the next attempt. */
const RETRY_MS = 100;

interface Attempt extends Answer {
  readonly retryAfterMs: number;
}

/** Places one order, as the options say again and again; the same number is always the same order with the same key. */
export async function placeOrder(send: Send, options: CustomerOptions): Promise<Answer> {
  const giveUpAt = performance.now() + options.retryForMs;
  for (let retries = 0; ; retries += 1) {
    const answer = await attempt(send.order, options);
    const again = comesAgain(answer, options.retry) && performance.now() + answer.retryAfterMs < giveUpAt;
    if (!again || options.signal.aborted) return { ...answer, retries };
    await pause(answer.retryAfterMs, undefined, { signal: options.signal }).catch(() => undefined); // Ctrl-C ends the wait
  }
}

function comesAgain({ status, inProgress }: Attempt, retry: Retry): boolean {
  if (retry === 'none') return false;
  if (status === 429) return true;
  return retry === 'all' && (status === 'no answer' || status >= 500 || inProgress === true);
}

/** Below the typed client: a load generator must not spend its processor on validation. */
async function attempt(
  n: number,
  { url, token, dispatcher, skus, run, onAccepted }: CustomerOptions,
): Promise<Attempt> {
  try {
    const { statusCode, headers, body } = await request(url, {
      method: 'POST',
      dispatcher,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': `${run}-${n}`,
      },
      body: JSON.stringify({
        customer: `load-${n % 1000}`,
        phone: `+4915${10_000_000 + (n % 10_000_000)}`,
        lines: [{ sku: skus[n % skus.length], quantity: 1 }],
      }),
    });
    const retryAfterMs = Number(headers['retry-after'] ?? 0) * 1000 || RETRY_MS;
    if ((statusCode === 202 || statusCode === 201) && onAccepted)
      onAccepted(((await body.json()) as { id: string }).id);
    else if (statusCode === 409)
      return { status: 409, inProgress: (await problemCode(body)) === 'idempotency-key-in-progress', retryAfterMs };
    else await body.dump();
    return { status: statusCode, replayed: headers['idempotent-replayed'] !== undefined, retryAfterMs };
  } catch {
    return { status: 'no answer', retryAfterMs: RETRY_MS }; // counted: a lost connection is what a load meets
  }
}

async function problemCode(body: { json(): Promise<unknown> }): Promise<string | undefined> {
  return ((await body.json()) as { code?: string }).code;
}
