import { defaultTextMapGetter, defaultTextMapSetter, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import fc from 'fast-check';
import { idTracerProvider } from './id-tracer.ts';
import { w3cTraceContext } from './trace-context.ts';

const oracle = new W3CTraceContextPropagator();

const extracted = (propagator: typeof w3cTraceContext, carrier: Record<string, string>) => {
  const span = trace.getSpanContext(propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter));
  return span && { ...span, traceState: span.traceState?.serialize() };
};

const hex = (length: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'.split('')), { minLength: length, maxLength: length })
    .map((digits) => digits.join(''));
const zeroOr = (length: number) => fc.oneof({ weight: 9, arbitrary: hex(length) }, fc.constant('0'.repeat(length)));
const traceparent = fc
  .tuple(
    fc.constantFrom('00', '00', '01', 'ff', 'cc'),
    zeroOr(32),
    zeroOr(16),
    hex(2),
    fc.constantFrom('', '', '-', '-what', 'x'),
  )
  .map(([version, traceId, spanId, flags, more]) => `${version}-${traceId}-${spanId}-${flags}${more}`);

test('reads traceparent as the propagator of OpenTelemetry does', () => {
  fc.assert(
    fc.property(fc.oneof(traceparent, fc.string()), fc.constantFrom('', 'a=1', 'a=1,b=2'), (parent, state) => {
      const carrier = { traceparent: parent, ...(state === '' ? {} : { tracestate: state }) };
      expect(extracted(w3cTraceContext, carrier)).toEqual(extracted(oracle, carrier));
    }),
    { numRuns: 1_000 },
  );
});

test('writes what it read', () => {
  fc.assert(
    fc.property(hex(32), hex(16), fc.constantFrom('00', '01'), (traceId, spanId, flags) => {
      fc.pre(!/^0+$/.test(traceId) && !/^0+$/.test(spanId));
      const carrier = { traceparent: `00-${traceId}-${spanId}-${flags}`, tracestate: 'vendor=x' };
      const context = w3cTraceContext.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter);
      const written = {};
      w3cTraceContext.inject(context, written, defaultTextMapSetter);
      expect(written).toEqual(carrier);
    }),
  );
});

test('refuses two traceparents: nobody can tell which one is meant', () => {
  const twice = { traceparent: ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'x'] };
  expect(trace.getSpanContext(w3cTraceContext.extract(ROOT_CONTEXT, twice, defaultTextMapGetter))).toBeUndefined();
});

test('a span continues the trace of its parent under an id of its own; a root span begins a new one', () => {
  const tracer = idTracerProvider.getTracer('t');
  const parent = tracer.startSpan('parent');
  const context = trace.setSpan(ROOT_CONTEXT, parent);
  const child = tracer.startSpan('child', {}, context).spanContext();
  expect(child.traceId).toBe(parent.spanContext().traceId);
  expect(child.spanId).not.toBe(parent.spanContext().spanId);
  expect(tracer.startSpan('root', { root: true }, context).spanContext().traceId).not.toBe(child.traceId);
  expect(tracer.startActiveSpan('active', (span) => span.spanContext().traceId)).toMatch(/^[0-9a-f]{32}$/);
});
