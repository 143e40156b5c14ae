import { PROBLEM_BASE, type Problem } from '@keelson/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { logger } from '../observe/logger.ts';
import { traceIdOf } from '../observe/request-trace.ts';
import type { CallerError } from './caller-error.ts';
import { toCallerError } from './to-caller-error.ts';

const log = logger('http');

/** The body of a problem answer. */
export function problemOf(error: CallerError, traceId: string | undefined): Problem {
  return {
    type: `${PROBLEM_BASE}${error.code}`,
    title: error.title,
    status: error.status,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    code: error.code,
    ...(traceId === undefined ? {} : { traceId }),
    ...(error.errors === undefined ? {} : { errors: error.errors }),
  };
}

/** Answers whatever was thrown as problem+json; what is our fault is logged with its cause. */
export function answerProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = toCallerError(thrown, {
    bodyLimitBytes: request.routeOptions?.bodyLimit ?? 0,
  });
  if (error.status >= 500) {
    const cause = error.cause ?? (thrown === error ? undefined : thrown);
    const level = error.status === 500 ? 'error' : 'warn';
    log[level]({ err: cause ?? error, code: error.code, method: request.method, path: pathOf(request) }, error.title);
  }
  if (reply.sent || reply.raw.headersSent) {
    // The answer is under way, so it cannot become another one; cutting it off is what tells the client.
    reply.raw.destroy();
    return;
  }
  if (error.retryAfterSeconds !== undefined) reply.header('retry-after', String(Math.ceil(error.retryAfterSeconds)));
  for (const [name, value] of Object.entries(error.headers)) reply.header(name, value);
  void reply
    .code(error.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(JSON.stringify(problemOf(error, traceIdOf(request))));
}

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0]!;
