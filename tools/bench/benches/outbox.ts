import { against, type Figure } from '../figures.ts';
import { Place } from '../place.ts';

interface Result {
  rawPerSecond: number;
  publishedPerSecond: number;
  latencyMs: { p50: number; p99: number };
}

/** Rows of a filled outbox to a consumer, durable on both sides, against raw amqplib; then latency from commit to handler. */
export async function outbox(root: string): Promise<Figure[]> {
  const place = await new Place(root).start();
  try {
    const database = await place.postgres.createDatabase({ name: 'bench_outbox' });
    const { amqpUrl } = await place.rabbit.createVhost();
    const result = await place.program<Result>('tools/bench/benches/outbox.program.ts', {
      BENCH_DATABASE_URL: database,
      BENCH_AMQP_URL: amqpUrl,
    });
    return [
      against(
        'outbox',
        result.publishedPerSecond,
        'rows/s',
        result.rawPerSecond,
        'raw amqplib, confirms, window 1,000, quorum queue',
      ),
      { name: 'outbox-latency-p50', value: result.latencyMs.p50, unit: 'ms' },
      { name: 'outbox-latency-p99', value: result.latencyMs.p99, unit: 'ms' },
    ];
  } finally {
    await place.stop();
  }
}
