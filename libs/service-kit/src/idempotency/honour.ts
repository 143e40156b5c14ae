import { createHash } from 'node:crypto';
import type { Endpoint } from '@keelson/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { logger } from '../observe/logger.ts';
import type { OperationInput } from '../operation/input.ts';
import { problemOf } from '../problems/answer-problem.ts';
import { CallerError } from '../problems/caller-error.ts';
import { traceIdOf } from '../observe/request-trace.ts';
import type { IdempotencyScope, IdempotencyStore, PendingIdempotency, StoredAnswer } from './store.ts';

const log = logger('idempotency');

interface Honour {
  readonly endpoint: Endpoint;
  readonly input: OperationInput<Endpoint>;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly store: IdempotencyStore | undefined;
  /** Gives the checked result. */
  readonly run: (key?: { idempotencyKey: string; idempotency?: PendingIdempotency }) => Promise<unknown>;
}

/**
 * draft-ietf-httpapi-idempotency-key-header: the first answer to a key is kept and given again. Kept are successes and
 * the caller's faults; not what a retry may cure (429, 5xx, anything with Retry-After).
 */
export async function honourIdempotency({ endpoint, input, request, reply, store, run }: Honour): Promise<unknown> {
  const key = keyOf(endpoint, request);
  if (key === undefined) return await run();
  if (store === undefined) return await run({ idempotencyKey: key });

  const scope: IdempotencyScope = {
    key,
    team: input.principal.id,
    operation: `${endpoint.method} ${endpoint.path}`,
  };
  const begun = await store.begin(scope, fingerprint(input, request));
  switch (begun.kind) {
    case 'reused':
      throw new CallerError('idempotency-key-reused', {
        detail: 'The first request with this key had another path, query or body; take a new key for a new request.',
      });
    case 'in-progress':
      throw new CallerError('idempotency-key-in-progress', { retryAfterSeconds: begun.retryAfterSeconds });
    case 'replay':
      return replay(reply, begun.answer);
    case 'begun':
  }

  let stored = false;
  const { claim } = begun;
  const idempotency = {
    key,
    storeIn: async (tx: Parameters<typeof store.finish>[3], result: unknown): Promise<void> => {
      const checked = endpoint.response === undefined ? result : endpoint.response.parse(result);
      if (!(await store.finish(scope, claim, answerOf(endpoint, checked), tx))) {
        throw new CallerError('idempotency-key-in-progress', { retryAfterSeconds: 1 });
      }
      stored = true;
    },
  };
  try {
    const result = await run({ idempotencyKey: key, idempotency });
    if (!stored && !(await store.finish(scope, claim, answerOf(endpoint, result)))) {
      log.warn({ operation: scope.operation }, 'the request took longer than its claim on the key; it was done twice');
    }
    return result;
  } catch (error) {
    // Harmless where an answer was kept and committed: only an open claim is settled.
    await settle(store, scope, claim, error, request);
    throw error;
  }
}

async function settle(
  store: IdempotencyStore,
  scope: IdempotencyScope,
  claim: string,
  error: unknown,
  request: FastifyRequest,
): Promise<void> {
  try {
    if (
      error instanceof CallerError &&
      error.status < 500 &&
      error.status !== 429 &&
      error.retryAfterSeconds === undefined
    ) {
      const body = JSON.stringify(problemOf(error, traceIdOf(request)));
      await store.finish(scope, claim, { status: error.status, body, contentType: 'application/problem+json' });
    } else {
      await store.abandon(scope, claim);
    }
  } catch (failure) {
    // The claim expires by itself; what the caller must hear of is the first error, not this one.
    log.error({ err: failure, operation: scope.operation }, 'the idempotency key could not be settled');
  }
}

function keyOf(endpoint: Endpoint, request: FastifyRequest): string | undefined {
  if (endpoint.idempotent !== true) return undefined;
  const header = request.headers['idempotency-key'];
  const value = Array.isArray(header) ? header.join(',') : header;
  if (value === undefined) {
    if (endpoint.problems?.includes('idempotency-key-missing') !== true) return undefined;
    throw new CallerError('idempotency-key-missing', {
      detail: 'Send a header Idempotency-Key with a new random value, and the same value when you retry.',
    });
  }
  // A structured-field string (quoted) by the draft, a bare value by everybody's habit.
  const key = /^"(.*)"$/.exec(value)?.[1] ?? value;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new CallerError('invalid-request', {
      errors: [{ pointer: 'header/Idempotency-Key', detail: 'must be 1 to 255 visible ASCII characters' }],
    });
  }
  return key;
}

/** Of the validated input, so that white space and the order of keys make no difference. */
function fingerprint(input: OperationInput<Endpoint>, request: FastifyRequest): string {
  const body = Buffer.isBuffer(request.body) ? request.body.toString('base64') : input.body;
  return createHash('sha256')
    .update(canonical([input.params, input.query, body]))
    .digest('hex');
}

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) =>
      part !== null && typeof part === 'object' && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)))
        : part,
    ) ?? ''
  );
}

function answerOf(endpoint: Endpoint, result: unknown): StoredAnswer {
  return { status: endpoint.status, body: result === undefined ? '' : JSON.stringify(result) };
}

function replay(reply: FastifyReply, answer: StoredAnswer): unknown {
  reply.code(answer.status).header('idempotent-replayed', 'true');
  if (answer.contentType !== undefined) reply.header('content-type', answer.contentType);
  return answer.body === '' ? undefined : (JSON.parse(answer.body) as unknown);
}
