import type { Api, Endpoint } from '../http/endpoint.ts';
import { ContractError, NoAnswerError, ProblemError } from './errors.ts';
import { type LooseInput, requestFor, urlFor } from './request.ts';
import { readResponse } from './response.ts';
import { defaultRetry, type RetryOptions, withRetry } from './retry.ts';
import type { Client } from './types.ts';

export interface ClientOptions {
  readonly baseUrl: string;
  /** Bearer token, or how to get one (asked before each call). */
  readonly token?: string | (() => string | undefined);
  /** In place of the global one: for trace headers, other TLS trust, tests. */
  readonly fetch?: typeof globalThis.fetch;
  /** For each attempt; 30 s unless told. Live views have no limit. */
  readonly timeoutMs?: number;
  /** `{ attempts: 1 }` switches retries off. */
  readonly retry?: Partial<RetryOptions>;
}

/**
 * A typed client of a service: one function for each operation, which checks the answer against the contract.
 *
 * Calls that may be repeated (GET, PUT, DELETE, and writes that honour Idempotency-Key, which get a random key) are
 * repeated on 429, 503 and missing answers. Throws {@link ProblemError}, {@link NoAnswerError} or ContractError.
 *
 * @example
 * ```ts
 * const orders = createClient(ordersApi, { baseUrl, token });
 * const order = await orders.placeOrder({ body: { customer: 'c1', phone: '+4930123456', lines }, idempotencyKey });
 * ```
 */
export function createClient<A extends Api>(api: A, options: ClientOptions): Client<A> {
  const retry = { ...defaultRetry, ...options.retry };
  const calls = Object.entries(api.endpoints).map(([name, endpoint]) => {
    const repeatable = endpoint.idempotent === true || ['GET', 'PUT', 'DELETE'].includes(endpoint.method);
    const call = async (input: LooseInput = {}): Promise<unknown> => {
      // Made once, so that every attempt carries the same Idempotency-Key.
      const url = urlFor(options.baseUrl, endpoint, input);
      const request = requestFor(
        endpoint,
        input,
        typeof options.token === 'function' ? options.token() : options.token,
      );
      const attempt = (): Promise<unknown> => once(endpoint, url, request, input, options);
      return repeatable ? await withRetry(attempt, retry, input.signal) : await attempt();
    };
    return [name, call] as const;
  });
  return Object.fromEntries(calls) as unknown as Client<A>;
}

async function once(
  endpoint: Endpoint,
  url: string,
  request: RequestInit,
  { signal }: LooseInput,
  { fetch = globalThis.fetch, timeoutMs = 30_000 }: ClientOptions,
): Promise<unknown> {
  const operation = `${endpoint.method} ${url.split('?', 1)[0]!}`;
  const live = endpoint.responseType === 'text/event-stream';
  const limit = live ? undefined : AbortSignal.timeout(timeoutMs);
  const signals = [signal, limit].filter((one) => one !== undefined);
  try {
    const response = await fetch(url, { ...request, signal: signals.length === 0 ? null : AbortSignal.any(signals) });
    return await readResponse(endpoint, operation, response);
  } catch (error) {
    if (signal?.aborted === true) throw error;
    if (limit?.aborted === true) throw new NoAnswerError(operation, `no answer within ${timeoutMs} ms`, error);
    if (error instanceof ProblemError || error instanceof ContractError) throw error;
    throw new NoAnswerError(operation, reason(error), error);
  }
}

/** fetch says "fetch failed" for everything below HTTP; what happened stands in its cause. */
function reason(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return String(error);
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message: string };
  return cause?.code ?? cause?.message ?? message;
}
