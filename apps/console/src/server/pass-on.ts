import { PassThrough, pipeline, type Readable } from 'node:stream';
import type { Endpoint } from '@keelson/contracts';
import { CallerError, traceHeaders } from '@keelson/service-kit/plain';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Dispatcher, request as send } from 'undici';
import { isTimeout, whyNoAnswer } from './no-answer.ts';

/** What the services understand; neither cookies nor anything else a browser sends by itself goes on. */
const REQUEST_HEADERS = ['accept', 'authorization', 'content-type', 'idempotency-key', 'last-event-id'] as const;
/** What the page needs; what a service says about itself or about cookies stays here. */
const RESPONSE_HEADERS = [
  'content-type',
  'content-length',
  'retry-after',
  'www-authenticate',
  'idempotent-replayed',
  'x-request-id',
] as const;

export interface Destination {
  /** As the user knows it. */
  readonly service: string;
  readonly url: string;
  readonly endpoints: readonly Endpoint[];
}

export interface PassOnOptions {
  readonly dispatcher: Dispatcher;
  readonly limitMs: number;
  /** Aborted when the server drains: live streams end then, and the page opens them again elsewhere. */
  readonly draining: AbortSignal;
}

/**
 * Serves the operations of a service under the scope's prefix by asking the service. Only what the contract names is
 * routed, and the address is the configured one: nothing in a request can change where it goes.
 */
export function passOn(scope: FastifyInstance, to: Destination, options: PassOnOptions): void {
  for (const endpoint of to.endpoints) {
    scope.route({
      method: endpoint.method,
      url: endpoint.path.replaceAll(/\{([^}]+)\}/g, ':$1'),
      exposeHeadRoute: false,
      handler: (request, reply) => forward(request, reply, endpoint, to, options),
    });
  }
}

async function forward(
  request: FastifyRequest,
  reply: FastifyReply,
  endpoint: Endpoint,
  to: Destination,
  { dispatcher, limitMs, draining }: PassOnOptions,
): Promise<FastifyReply> {
  const live = endpoint.responseType === 'text/event-stream';
  const left = new AbortController();
  reply.raw.once('close', () => left.abort());
  const address = addressFor(to.url, endpoint, request);
  let answer: Dispatcher.ResponseData;
  try {
    answer = await send(address, {
      dispatcher,
      method: endpoint.method,
      headers: { ...pick(request.headers, REQUEST_HEADERS), ...traceHeaders() },
      body: request.body === undefined ? null : (request.body as Buffer),
      signal: left.signal,
      headersTimeout: limitMs,
      // A live stream may be silent for as long as nothing happens.
      bodyTimeout: live ? 0 : limitMs,
    });
  } catch (error) {
    throw noAnswer(error, endpoint, to, limitMs);
  }
  if (answer.statusCode < 200 || (answer.statusCode >= 300 && answer.statusCode < 400)) {
    answer.body.destroy();
    throw new CallerError('unavailable', {
      detail: `${to.service} answered ${answer.statusCode}, which no Keelson service does: its URL may name something else.`,
    });
  }
  reply.code(answer.statusCode).headers(pick(answer.headers, RESPONSE_HEADERS)).header('cache-control', 'no-store');
  if (answer.statusCode === 204) {
    await answer.body.dump();
    return reply.send();
  }
  return reply.send(live ? untilDrained(answer.body, draining) : answer.body);
}

/** The address of the operation with its parameters written anew, so that none of them can leave its segment. */
function addressFor(base: string, endpoint: Endpoint, request: FastifyRequest): string {
  const params = request.params as Readonly<Record<string, string>>;
  const path = endpoint.path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => {
    const value = params[name] ?? '';
    // The two segments that URL parsers resolve even where they are percent-encoded.
    if (value === '.' || value === '..') throw new CallerError('no-such-path', { detail: `"${value}" is no ${name}.` });
    return encodeURIComponent(value);
  });
  const query = request.url.indexOf('?');
  return `${base.replace(/\/+$/, '')}${path}${query < 0 ? '' : request.url.slice(query)}`;
}

function noAnswer(error: unknown, endpoint: Endpoint, { service }: Destination, limitMs: number): CallerError {
  const unknown = endpoint.method === 'GET' ? '' : ' Whether it took effect is not known.';
  return new CallerError(isTimeout(error) ? 'timed-out' : 'unavailable', {
    detail: `${service} gave no answer: ${whyNoAnswer(error, limitMs)}.${unknown}`,
    retryAfterSeconds: 1,
    cause: error,
  });
}

/** Ends in good order when the server drains, instead of breaking off in the middle. */
function untilDrained(body: Readable, draining: AbortSignal): Readable {
  const out = new PassThrough();
  const end = (): void => {
    body.unpipe(out);
    out.end();
    body.destroy();
  };
  draining.addEventListener('abort', end, { once: true });
  pipeline(body, out, () => draining.removeEventListener('abort', end));
  if (draining.aborted) end();
  return out;
}

function pick<Name extends string>(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  names: readonly Name[],
): Record<string, string | string[]> {
  const picked: Record<string, string | string[]> = {};
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
