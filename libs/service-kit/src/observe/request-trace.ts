import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { requestState } from '../server/request-state.ts';

const spans = requestState<Span>('span');

/** Trace id of a request: what the caller quotes, and what the logs are searched by. */
export const traceIdOf = (request: FastifyRequest): string | undefined => {
  const id = spans.of(request)?.spanContext().traceId;
  return id === undefined || /^0+$/.test(id) ? undefined : id;
};

/** One server span for each request, continuing the caller's `traceparent` (W3C Trace Context). */
export function traceRequests(server: FastifyInstance, service: string): void {
  server.addHook('onRequest', (request, reply, done) => {
    context.with(beginTrace(request, reply, service), done);
  });

  // Reading the body leaves the asynchronous context (its stream belongs to the socket), so it is entered once more.
  server.addHook('preValidation', (request, _reply, done) => {
    const span = spans.of(request);
    if (span === undefined) done();
    else context.with(trace.setSpan(context.active(), span), done);
  });

  server.addHook('onResponse', (request, reply, done) => {
    const span = spans.of(request);
    span?.setAttribute('http.response.status_code', reply.statusCode);
    if (reply.statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
    done();
  });
}

/** Begins the span of a request and tells its trace id to the caller. */
export function beginTrace(request: FastifyRequest, reply: FastifyReply, service: string): Context {
  const parent = propagation.extract(ROOT_CONTEXT, request.headers);
  const template = request.routeOptions.url;
  const span = trace.getTracer(service).startSpan(
    template === undefined ? request.method : `${request.method} ${template}`,
    {
      kind: SpanKind.SERVER,
      attributes: {
        'http.request.method': request.method,
        'url.path': request.url.split('?', 1)[0]!,
        ...(template === undefined ? {} : { 'http.route': template }),
      },
    },
    parent,
  );
  spans.set(request, span);
  const traceId = traceIdOf(request);
  if (traceId !== undefined) reply.header('x-request-id', traceId);
  return trace.setSpan(parent, span);
}
