import type { IncomingMessage } from 'node:http';
import { backoffDelayMs, pause } from './backoff.ts';
import { KubernetesError, KubernetesUnreachableError } from './errors.ts';
import type { ClusterAccess } from './kubeconfig.ts';
import { Transport } from './transport.ts';
import type { Status } from './wire.ts';

export type Query = Record<string, string | number | boolean | undefined>;

export type ApiRequest = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Query;
  body?: unknown;
  contentType?: string;
  accept?: string;
  signal?: AbortSignal | undefined;
  /** For the whole call, waits that the server asks for included. Default 30 s. */
  timeoutMs?: number | undefined;
};

export const defaultTimeoutMs = 30_000;
const userAgent = 'keelson/0.1';
/** Answers are whole objects or pages; a list larger than this should have been paged. */
const maxBodyBytes = 256 * 1024 * 1024;

/** Signs requests, waits where the server says so, and turns refusals into KubernetesError. */
export class Requests {
  readonly #access: ClusterAccess;
  readonly #transport: Transport;

  constructor(access: ClusterAccess) {
    this.#access = access;
    this.#transport = new Transport(access);
  }

  /** The JSON of a 2xx answer. Throws KubernetesError, KubernetesUnreachableError, or the signal's reason. */
  async json<T>(request: ApiRequest): Promise<T> {
    const text = await this.text(request);
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      const start = text.slice(0, 80);
      throw new KubernetesUnreachableError(
        `${request.method} ${request.path}: the answer is no JSON: ${start}`,
        'BROKEN',
        error,
      );
    }
  }

  /** The text of a 2xx answer. 429 and 503 with a Retry-After are waited for, as long as timeoutMs allows. */
  async text(request: ApiRequest): Promise<string> {
    const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
    const deadline = performance.now() + timeoutMs;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once(request, Math.max(1, deadline - performance.now()), timeoutMs);
      } catch (error) {
        const waitMs = retryDelayMs(error, request.method, attempt);
        if (waitMs === undefined || performance.now() + waitMs >= deadline) throw error;
        await pause(waitMs, request.signal);
        request.signal?.throwIfAborted();
      }
    }
  }

  /** A response to be read as it comes, on a connection of its own; the caller destroys it. No retries. */
  async stream(request: ApiRequest & { headersTimeoutMs: number }): Promise<IncomingMessage> {
    const response = await this.#send(request, request.headersTimeoutMs, true);
    if (isSuccess(response)) return response;
    throw refusal(request, response, await readText(response));
  }

  close(): void {
    this.#transport.close();
  }

  async #once(request: ApiRequest, remainingMs: number, timeoutMs: number): Promise<string> {
    const timeout = new AbortController();
    const abort = (): void => timeout.abort(request.signal?.reason);
    request.signal?.addEventListener('abort', abort, { once: true });
    const timer = setTimeout(() => {
      const name = `${request.method} ${request.path}`;
      timeout.abort(new KubernetesUnreachableError(`${name}: not done within ${timeoutMs} ms`, 'TIMEOUT'));
    }, remainingMs);
    try {
      request.signal?.throwIfAborted();
      const response = await this.#send({ ...request, signal: timeout.signal }, remainingMs + 1000, false);
      const text = await readText(response, timeout.signal);
      if (isSuccess(response)) return text;
      throw refusal(request, response, text);
    } finally {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', abort);
    }
  }

  async #send(request: ApiRequest, headersTimeoutMs: number, own: boolean): Promise<IncomingMessage> {
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    for (let attempt = 0; ; attempt++) {
      const authorization = await this.#access.credentials.authorization();
      const response = await this.#transport.open({
        method: request.method,
        path: `${request.path}${queryString(request.query)}`,
        body,
        headersTimeoutMs,
        own,
        signal: request.signal,
        headers: {
          accept: request.accept ?? 'application/json',
          'user-agent': userAgent,
          ...(body !== undefined && {
            'content-type': request.contentType ?? 'application/json',
            'content-length': String(Buffer.byteLength(body)),
          }),
          ...(authorization !== undefined && { authorization }),
          ...(this.#access.impersonate !== undefined && { 'impersonate-user': this.#access.impersonate }),
        },
      });
      // A token or a certificate that was renewed since it was read: once more with the new one.
      if (response.statusCode !== 401 || attempt > 0) return response;
      response.resume();
      this.#access.credentials.refused();
      this.#transport.renew();
    }
  }
}

/** How long to wait before the same call again; undefined: do not. */
function retryDelayMs(error: unknown, method: string, attempt: number): number | undefined {
  if (error instanceof KubernetesError) {
    if (error.status !== 429 && error.status !== 503) return undefined;
    // Both are answered before anything was done; a 503 of a proxy in front is told apart by its missing Retry-After.
    if (error.retryAfterSeconds === undefined) return undefined;
    return backoffDelayMs(attempt, { firstDelayMs: 50, maxDelayMs: 1000 }, error.retryAfterSeconds);
  }
  // A kept-alive connection that the server closed meanwhile: a read is safe to send again at once.
  const stale = error instanceof KubernetesUnreachableError && 'reusedSocket' in error && error.reusedSocket === true;
  return stale && method === 'GET' && attempt < 3 ? 0 : undefined;
}

function queryString(query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return '';
  return `?${new URLSearchParams(pairs.map(([key, value]): [string, string] => [key, String(value)])).toString()}`;
}

function isSuccess(response: IncomingMessage): boolean {
  return response.statusCode !== undefined && response.statusCode >= 200 && response.statusCode < 300;
}

async function readText(response: IncomingMessage, signal?: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBodyBytes) throw new Error(`the answer is larger than ${maxBodyBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    throw new KubernetesUnreachableError(`the answer broke off: ${(error as Error).message}`, 'BROKEN', error);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function refusal(request: ApiRequest, response: IncomingMessage, text: string): KubernetesError {
  const status = response.statusCode ?? 0;
  let body: Status & { metadata?: { continue?: string } };
  try {
    body = JSON.parse(text) as typeof body;
  } catch {
    // Not from the API server but from a proxy, or a filter that answers in plain text (429 of priority and fairness).
    body = { message: text.trim().slice(0, 500) || `HTTP ${status}` };
  }
  return new KubernetesError(status, body, {
    request: `${request.method} ${request.path}`,
    retryAfterSeconds: retryAfterSeconds(response.headers['retry-after']),
    continue: body.metadata?.continue,
  });
}

/** RFC 9110 10.2.3: seconds or a date. */
export function retryAfterSeconds(header: string | undefined, now: Date = new Date()): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now.getTime()) / 1000);
}
