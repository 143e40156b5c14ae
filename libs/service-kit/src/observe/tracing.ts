import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BatchSpanProcessor, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

let provider: TracerProvider | undefined;

/**
 * Sets tracing up once for the process. Traces always exist (ids in logs, problems and messages); they are exported
 * only where an OTLP endpoint is given, and only then is the exporter loaded (it costs 20 MiB).
 */
export async function startTracing(options: {
  service: string;
  version: string;
  otlpEndpoint?: string;
}): Promise<void> {
  if (provider !== undefined) return;
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const processors: SpanProcessor[] = [];
  if (options.otlpEndpoint !== undefined) processors.push(await otlpProcessor(options.otlpEndpoint));
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  provider = new TracerProvider({
    spanProcessors: processors,
    resource: resourceFromAttributes({ 'service.name': options.service, 'service.version': options.version }),
  });
  trace.setGlobalTracerProvider(provider);
}

async function otlpProcessor(endpoint: string): Promise<SpanProcessor> {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const url = endpoint.endsWith('/v1/traces') ? endpoint : `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  return new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url }) });
}

/** Sends what is still waiting to be exported. */
export const flushTraces = async (): Promise<void> => provider?.forceFlush();

/** Headers that carry the present trace to another service. */
export function traceHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(context.active(), headers);
  return headers;
}
