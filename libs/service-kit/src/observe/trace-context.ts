import {
  type Context,
  createTraceState,
  isSpanContextValid,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api';

/** version - trace id - parent id - flags; later versions may append fields (W3C Trace Context, section 3.2.2). */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

const first = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? (value.length === 1 ? value[0] : undefined) : value;

/**
 * W3C Trace Context: `traceparent` and `tracestate`. The package @opentelemetry/core has one as well; it is our oracle
 * in tests; left out of the services because it brings much along for these few lines.
 */
export const w3cTraceContext: TextMapPropagator = {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = trace.getSpanContext(context);
    if (span === undefined || !isSpanContextValid(span)) return;
    const flags = span.traceFlags.toString(16).padStart(2, '0');
    setter.set(carrier, 'traceparent', `00-${span.traceId}-${span.spanId}-${flags}`);
    const state = span.traceState?.serialize();
    if (state !== undefined && state !== '') setter.set(carrier, 'tracestate', state);
  },

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const match = TRACEPARENT.exec(first(getter.get(carrier, 'traceparent'))?.trim() ?? '');
    if (match === null || (match[1] === '00' && match[5] !== undefined)) return context;
    const state = [getter.get(carrier, 'tracestate') ?? []].flat().join(',');
    return trace.setSpanContext(context, {
      traceId: match[2]!,
      spanId: match[3]!,
      traceFlags: Number.parseInt(match[4]!, 16),
      isRemote: true,
      ...(state === '' ? {} : { traceState: createTraceState(state) }),
    });
  },

  fields: () => ['traceparent', 'tracestate'],
};
