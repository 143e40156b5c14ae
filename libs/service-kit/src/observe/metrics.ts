import { collectDefaultMetrics, Counter, Gauge, Histogram, register } from 'prom-client';
import type { CounterConfiguration, GaugeConfiguration, HistogramConfiguration } from 'prom-client';

/**
 * The registry of the process. Asking for a metric twice gives the first one, so that a module may be instantiated
 * twice (as tests do) without a clash.
 */
export const registry = register;

export function counter<Label extends string>(options: CounterConfiguration<Label>): Counter<Label> {
  return (register.getSingleMetric(options.name) as Counter<Label> | undefined) ?? new Counter(options);
}

export function gauge<Label extends string>(options: GaugeConfiguration<Label>): Gauge<Label> {
  return (register.getSingleMetric(options.name) as Gauge<Label> | undefined) ?? new Gauge(options);
}

export function histogram<Label extends string>(options: HistogramConfiguration<Label>): Histogram<Label> {
  return (register.getSingleMetric(options.name) as Histogram<Label> | undefined) ?? new Histogram(options);
}

/** Gauges that prom-client names as counters, which `promtool check metrics` rightly refuses. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** Process metrics (CPU, memory, event loop, garbage collection), once for the process. */
export function collectProcessMetrics(): void {
  if (register.getSingleMetric('process_cpu_seconds_total') !== undefined) return;
  collectDefaultMetrics();
  for (const name of MISNAMED) register.removeSingleMetric(name);
}
