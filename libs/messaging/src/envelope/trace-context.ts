import { context, trace, TraceFlags, type Context, type SpanContext } from '@opentelemetry/api';

/**
 * W3C Trace Context level 1, `traceparent` only. Written here and not left to OpenTelemetry's propagator, which does
 * nothing unless a program registers one: the trace id must survive the broker in every program.
 */
export function traceparentOf(spanContext: SpanContext | undefined): string | undefined {
  if (spanContext === undefined || !/[1-9a-f]/.test(spanContext.traceId)) return undefined;
  return `00-${spanContext.traceId}-${spanContext.spanId}-${spanContext.traceFlags.toString(16).padStart(2, '0')}`;
}

export const activeTraceparent = (): string | undefined => traceparentOf(trace.getSpanContext(context.active()));

const pattern = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/;

/** The span context a `traceparent` header names; undefined when it is malformed or all zero. */
export function parseTraceparent(header: unknown): SpanContext | undefined {
  const match = typeof header === 'string' ? pattern.exec(header) : null;
  if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) return undefined;
  if (/^0+$/.test(match[1]) || /^0+$/.test(match[2])) return undefined;
  const sampled = (Number.parseInt(match[3], 16) & 1) === 1;
  return {
    traceId: match[1],
    spanId: match[2],
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  };
}

/** A context whose active span is the sender's. */
export function contextFrom(header: unknown): Context {
  const spanContext = parseTraceparent(header);
  return spanContext === undefined ? context.active() : trace.setSpanContext(context.active(), spanContext);
}
