import { metrics } from '@opentelemetry/api';
import type { MetricsPort } from './port.ts';

/** OpenTelemetry names of the instruments that its messaging conventions define; the others keep theirs with dots. */
const conventional: Readonly<Record<string, string>> = {
  messaging_client_operation_duration_seconds: 'messaging.client.operation.duration',
  messaging_client_sent_messages_total: 'messaging.client.sent.messages',
  messaging_client_consumed_messages_total: 'messaging.client.consumed.messages',
  messaging_process_duration_seconds: 'messaging.process.duration',
};

const otelName = (name: string): string =>
  conventional[name] ?? name.replace(/_(total|seconds|bytes)$/, '').replaceAll('_', '.');
const unitOf = (name: string): string => (name.endsWith('_seconds') ? 's' : name.endsWith('_bytes') ? 'By' : '1');

/** Metrics through the OpenTelemetry API: they go nowhere until the program sets a meter provider. */
export function openTelemetryMetrics(): MetricsPort {
  const meter = metrics.getMeter('@keelson/messaging');
  const options = ({ name, help }: { name: string; help: string }) => ({ description: help, unit: unitOf(name) });
  return {
    counter: (metric) => {
      const instrument = meter.createCounter(otelName(metric.name), options(metric));
      return { inc: (labels, value = 1) => instrument.add(value, labels) };
    },
    gauge: (metric) => {
      const instrument = meter.createGauge(otelName(metric.name), options(metric));
      return { set: (labels, value) => instrument.record(value, labels) };
    },
    histogram: (metric) => {
      const advice = { advice: { explicitBucketBoundaries: metric.buckets } };
      const instrument = meter.createHistogram(otelName(metric.name), { ...options(metric), ...advice });
      return { observe: (labels, value) => instrument.record(value, labels) };
    },
  };
}
