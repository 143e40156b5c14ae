/** The shapes of prom-client's constructors' results; service-kit's `counter`, `gauge` and `histogram` fit as they are. */
export interface MetricOptions {
  name: string;
  help: string;
  labelNames: string[];
}

export interface Counter {
  inc(labels: Record<string, string>, value?: number): void;
}

export interface Gauge {
  set(labels: Record<string, string>, value: number): void;
}

export interface Histogram {
  observe(labels: Record<string, string>, value: number): void;
}

/** Where measurements go. */
export interface MetricsPort {
  counter(options: MetricOptions): Counter;
  gauge(options: MetricOptions): Gauge;
  histogram(options: MetricOptions & { buckets: number[] }): Histogram;
}
