import { counter, histogram } from '@keelson/service-kit';
import type { JournalEvent } from '@keelson/contracts';

/** Counts of what became of events, by sink; no label carries the name of an object. */
export interface DeliveryMetrics {
  filtered(sink: string, count: number): void;
  delivered(sink: string, events: readonly JournalEvent[], now: Date): void;
  retried(sink: string): void;
  dead(sink: string): void;
}

export function deliveryMetrics(): DeliveryMetrics {
  const labelNames = ['sink'] as const;
  const filtered = counter({
    name: 'keelson_sink_filtered_total',
    help: 'Events that the rule of the sink left out',
    labelNames,
  });
  const delivered = counter({ name: 'keelson_sink_delivered_total', help: 'Events that the sink has', labelNames });
  const retried = counter({ name: 'keelson_sink_retried_total', help: 'Attempts that are to be repeated', labelNames });
  const dead = counter({
    name: 'keelson_sink_dead_letters_total',
    help: 'Events that the sink will not take',
    labelNames,
  });
  const delay = histogram({
    name: 'keelson_sink_delay_seconds',
    help: 'Time from the receipt of an event to its delivery',
    labelNames,
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120, 600],
  });
  return {
    filtered: (sink, count) => filtered.inc({ sink }, count),
    delivered: (sink, events, now) => {
      delivered.inc({ sink }, events.length);
      for (const event of events)
        delay.observe({ sink }, Math.max(0, (now.getTime() - Date.parse(event.receivedAt)) / 1000));
    },
    retried: (sink) => retried.inc({ sink }),
    dead: (sink) => dead.inc({ sink }),
  };
}
