import { STATUS_CODES } from 'node:http';
import { generalProblems, type GeneralProblemCode, PROBLEM_BASE } from '@keelson/contracts';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { beginTrace } from '../observe/request-trace.ts';
import { answerProblem } from '../problems/answer-problem.ts';
import { SECURITY_HEADERS } from './secure-headers.ts';

/** Fastify under Nest, with our answers to faults in place of Nest's. */
export class ServiceAdapter extends FastifyAdapter {
  constructor(options: { service: string; bodyLimitBytes: number; requestTimeLimitMs: number }) {
    super({
      logger: false,
      bodyLimit: options.bodyLimitBytes,
      // The time to receive headers and body; Node answers 408 by itself where even the headers do not come.
      requestTimeout: options.requestTimeLimitMs,
      keepAliveTimeout: 72_000,
      // Requests that arrive on a kept connection during the drain are answered, with Connection: close.
      return503OnClosing: false,
      routerOptions: { maxParamLength: 512 },
      // What the router refuses meets no hook, so what they do is done here.
      frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
        reply.headers(SECURITY_HEADERS);
        beginTrace(request, reply, options.service);
        answerProblem(error, request, reply);
      },
      clientErrorHandler(error: Error & { code?: string }, socket) {
        if (error.code === 'ECONNRESET' || !socket.writable) return;
        socket.end(rawAnswers[error.code ?? ''] ?? rawAnswers['default']!);
      },
    });
    this.instance.setErrorHandler((error, request, reply) => answerProblem(error, request, reply));
  }

  // Nest would put its own handlers in place of ours while it starts.
  override setErrorHandler(): never {
    return undefined as never;
  }

  override setNotFoundHandler(): never {
    return undefined as never;
  }
}

/** Answers to what never became a request, so neither hooks nor a trace exist. */
const raw = (status: number, code: GeneralProblemCode): string => {
  const body = JSON.stringify({ type: PROBLEM_BASE + code, title: generalProblems[code].title, status, code });
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
};

const rawAnswers: Record<string, string> = {
  ERR_HTTP_REQUEST_TIMEOUT: raw(408, 'request-timeout'),
  HPE_HEADER_OVERFLOW: raw(431, 'headers-too-large'),
  default: raw(400, 'malformed-request'),
};
