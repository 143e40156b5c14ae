import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

/** The OpenTelemetry SDK, sending spans to a collector over OTLP/HTTP. Imported only where there is one. */
export function exportingTracerProvider(options: {
  service: string;
  version: string;
  otlpEndpoint: string;
}): TracerProvider {
  const { otlpEndpoint } = options;
  // OTEL_EXPORTER_OTLP_ENDPOINT is the base of all signals (OpenTelemetry, OTLP exporter configuration).
  const url = otlpEndpoint.endsWith('/v1/traces') ? otlpEndpoint : `${otlpEndpoint.replace(/\/+$/, '')}/v1/traces`;
  return new TracerProvider({
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url }) })],
    resource: resourceFromAttributes({ 'service.name': options.service, 'service.version': options.version }),
  });
}
