import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { idTracerProvider } from './id-tracer.ts';
import { w3cTraceContext } from './trace-context.ts';

let flush: (() => Promise<void>) | undefined;

/**
 * Sets tracing up once for the process. Traces always exist (ids in logs, problems and messages); spans are recorded
 * and exported only where an OTLP endpoint is given, and only then is the SDK loaded.
 */
export async function startTracing(options: {
  service: string;
  version: string;
  otlpEndpoint?: string;
}): Promise<void> {
  if (flush !== undefined) return;
  flush = () => Promise.resolve();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(w3cTraceContext);
  const { otlpEndpoint } = options;
  if (otlpEndpoint === undefined) {
    trace.setGlobalTracerProvider(idTracerProvider);
    return;
  }
  const { exportingTracerProvider } = await import('./exported-traces.ts');
  const provider = exportingTracerProvider({ ...options, otlpEndpoint });
  trace.setGlobalTracerProvider(provider);
  flush = () => provider.forceFlush();
}

/** Sends what is still waiting to be exported. */
export const flushTraces = async (): Promise<void> => flush?.();

/** Headers that carry the present trace to another service. */
export function traceHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(context.active(), headers);
  return headers;
}

/** fetch that carries the present trace along; for the typed clients of @keelson/contracts. */
export const tracedFetch: typeof fetch = (input, init) => {
  const headers = new Headers(init?.headers);
  for (const [name, value] of Object.entries(traceHeaders())) headers.set(name, value);
  return fetch(input, { ...init, headers });
};
