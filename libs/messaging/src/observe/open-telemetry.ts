import { metrics } from '@opentelemetry/api';
import type { MetricsPort } from './port.ts';

/** OpenTelemetry names of the instruments that its messaging conventions define; the others keep theirs with dots. */
const conventional: Readonly<Record<string, string>> = {
  messaging_client_operation_duration_seconds: 'messaging.client.operation.duration',
  messaging_client_sent_messages_total: 'messaging.client.sent.messages',
  messaging_client_consumed_messages_total: 'messaging.client.consumed.messages',
  messaging_process_duration_seconds: 'messaging.process.duration',
};

/** Our label -> the attribute of the conventions; `outcome` becomes `error.type`, which is there for failures only. */
const attributeNames: Readonly<Record<string, string>> = {
  destination: 'messaging.destination.name',
  queue: 'messaging.consumer.group.name',
  message: 'messaging.rabbitmq.destination.routing_key',
};
const operations: Readonly<Record<string, string>> = {
  messaging_client_operation_duration_seconds: 'publish',
  messaging_client_sent_messages_total: 'publish',
  messaging_client_consumed_messages_total: 'consume',
  messaging_process_duration_seconds: 'process',
};
const successes = new Set(['ok', 'handled', 'duplicate']);

/** Labels as attributes: those of the conventions where these define the instrument, else as they are. */
export function attributesOf(name: string, labels: Readonly<Record<string, string>>): Record<string, string> {
  const operation = operations[name];
  if (operation === undefined) return labels;
  const attributes: Record<string, string> = {
    'messaging.system': 'rabbitmq',
    'messaging.operation.name': operation,
  };
  for (const [label, value] of Object.entries(labels)) {
    if (label !== 'outcome') attributes[attributeNames[label] ?? label] = value;
    else if (!successes.has(value)) attributes['error.type'] = value;
  }
  return attributes;
}

const otelName = (name: string): string =>
  conventional[name] ?? name.replace(/_(total|seconds|bytes)$/, '').replaceAll('_', '.');
const unitOf = (name: string): string =>
  name.endsWith('_seconds')
    ? 's'
    : name.endsWith('_bytes')
      ? 'By'
      : name.endsWith('_messages_total')
        ? '{message}'
        : '1';

/** Metrics through the OpenTelemetry API: they go nowhere until the program sets a meter provider. */
export function openTelemetryMetrics(): MetricsPort {
  const meter = metrics.getMeter('@keelson/messaging');
  /** Of one instrument. There are few sets of labels, and millions of measurements of each. */
  const remembered = ({ name }: { name: string }): ((labels: Record<string, string>) => Record<string, string>) => {
    const known = new Map<string, Record<string, string>>();
    return (labels) => {
      let key = '';
      for (const label in labels) key += `${labels[label]}\n`;
      let attributes = known.get(key);
      if (attributes === undefined) known.set(key, (attributes = attributesOf(name, labels)));
      return attributes;
    };
  };
  const options = ({ name, help }: { name: string; help: string }) => ({ description: help, unit: unitOf(name) });
  return {
    counter: (metric) => {
      const instrument = meter.createCounter(otelName(metric.name), options(metric));
      const attributes = remembered(metric);
      return { inc: (labels, value = 1) => instrument.add(value, attributes(labels)) };
    },
    gauge: (metric) => {
      const instrument = meter.createGauge(otelName(metric.name), options(metric));
      const attributes = remembered(metric);
      return { set: (labels, value) => instrument.record(value, attributes(labels)) };
    },
    histogram: (metric) => {
      const advice = { advice: { explicitBucketBoundaries: metric.buckets } };
      const instrument = meter.createHistogram(otelName(metric.name), { ...options(metric), ...advice });
      const attributes = remembered(metric);
      return { observe: (labels, value) => instrument.record(value, attributes(labels)) };
    },
  };
}
