import { type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Endpoint } from '@keelson/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { principalOf } from '../auth/authenticate.ts';
import { principal } from '../auth/principal.ts';
import { honourIdempotency } from '../idempotency/honour.ts';
import type { IdempotencyStore } from '../idempotency/store.ts';
import { signalOf } from '../limits/time-limit.ts';
import { isEventStream, sendEvents } from '../live/server-sent-events.ts';
import { requestState } from '../server/request-state.ts';
import type { OperationInput, ServerSentEvent } from './input.ts';
import { endpointOf } from './route.ts';
import { validateRequest } from './validate.ts';

const inputs = requestState<OperationInput<Endpoint>>('operation input');
const anonymous = principal({ name: 'anonymous', team: '', scopes: [] });

/** The validated input of a request; only there while its operation runs. */
export function inputOf(request: FastifyRequest): OperationInput<Endpoint> {
  const input = inputs.of(request);
  if (input === undefined) throw new Error('@Operation works in services started by startService only');
  return input;
}

/** What stands around every operation: validate, honour the idempotency key, run, check the result. */
export class OperationPipeline implements NestInterceptor {
  readonly #store: IdempotencyStore | undefined;

  constructor(store: IdempotencyStore | undefined) {
    this.#store = store;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const endpoint = endpointOf(request);
    if (endpoint === undefined) return next.handle();
    const call = (input: OperationInput<Endpoint>): Promise<unknown> => {
      inputs.set(request, input);
      return lastValueFrom(next.handle(), { defaultValue: undefined });
    };
    return from(runOperation({ endpoint, request, reply: http.getResponse<FastifyReply>(), store: this.#store, call }));
  }
}

interface Run {
  readonly endpoint: Endpoint;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly store: IdempotencyStore | undefined;
  readonly call: (input: OperationInput<Endpoint>) => Promise<unknown>;
}

/**
 * An input whose signal is made when somebody asks for it. A getter in the object literal would do the same, but V8 gives
 * each object that has one a shape of its own, which keeps the request until the next full collection.
 */
class Input {
  declare readonly request: FastifyRequest;

  constructor(fields: object) {
    Object.assign(this, fields);
  }

  get signal(): AbortSignal {
    return signalOf(this.request);
  }
}

/** Everything between a request that was let in and its answer. */
export async function runOperation({ endpoint, request, reply, store, call }: Run): Promise<unknown> {
  const valid = validateRequest(endpoint, request);
  const input = new Input({
    ...valid,
    principal: principalOf(request) ?? anonymous,
    headers: request.headers,
    request,
    setHeader: (name: string, value: string) => void reply.header(name, value),
    setStatus: (status: number) => void reply.code(status),
  }) as unknown as OperationInput<Endpoint>;
  const run: Parameters<typeof honourIdempotency>[0]['run'] = async (key) =>
    checked(endpoint, await call(Object.assign(input, key)));
  const result = await honourIdempotency({ endpoint, input, request, reply, store, run });
  return isEventStream(endpoint, result)
    ? sendEvents(reply, request, result as AsyncIterable<ServerSentEvent>)
    : send(endpoint, reply, result);
}

function send(endpoint: Endpoint, reply: FastifyReply, result: unknown): unknown {
  if (endpoint.responseType !== undefined) reply.header('content-type', endpoint.responseType);
  return result;
}

/** A response that breaks the contract is our fault: better a 500 with its reason in the log than a client that chokes. */
function checked(endpoint: Endpoint, result: unknown): unknown {
  if (endpoint.response === undefined) return result;
  const parsed = endpoint.response.safeParse(result);
  if (parsed.success) return parsed.data;
  throw new Error(`the response of ${endpoint.method} ${endpoint.path} breaks its contract: ${parsed.error.message}`);
}
