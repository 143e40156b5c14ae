import { against, type Figure } from '../figures.ts';
import { Place } from '../place.ts';

interface Result {
  /** `<queue type>-<window>`: ours, raw. */
  published: Record<string, [number, number]>;
  consumed: { raw: number; plain: number; inbox: number; batch: number };
  bytes: { publish: number; consume: number; rawPublish: number; rawConsume: number };
}

/** Publish with confirms and consume, validated, against raw amqplib in the same run; what the inbox costs; allocation. */
export async function messaging(root: string): Promise<Figure[]> {
  const place = await new Place(root).start();
  try {
    const database = await place.postgres.createDatabase({ name: 'bench_messaging' });
    const { amqpUrl } = await place.rabbit.createVhost();
    // Full queues must not set off the memory alarm of 512 MiB that tests have.
    await place.rabbit.rabbitmqctl(['set_vm_memory_high_watermark', 'absolute', '2GiB']);
    const { published, consumed, bytes } = await place.program<Result>('tools/bench/benches/messaging.program.ts', {
      BENCH_DATABASE_URL: database,
      BENCH_AMQP_URL: amqpUrl,
    });
    const publishing = Object.entries(published).map(([name, [ours, raw]]) => {
      const [type, window] = name.split('-');
      const row = type === 'quorum' ? `publish-window-${window}` : `publish-classic-window-${window}`;
      return against(row, ours, 'messages/s', raw, `raw amqplib, the same message and window, ${type} queue`);
    });
    return [
      ...publishing,
      against('consume', consumed.plain, 'messages/s', consumed.raw, 'raw amqplib, consume and ack, prefetch 250'),
      against('consume-inbox', consumed.inbox, 'messages/s', consumed.plain, 'the same without inbox'),
      { name: 'inbox-price', value: 1_000_000 / consumed.inbox - 1_000_000 / consumed.plain, unit: 'us/message' },
      against('consume-batch-inbox', consumed.batch, 'messages/s', consumed.plain, 'one by one, without inbox'),
      { name: 'inbox-batch-price', value: 1_000_000 / consumed.batch - 1_000_000 / consumed.plain, unit: 'us/message' },
      against('publish-bytes', bytes.publish, 'B/message', bytes.rawPublish, 'raw amqplib, allocated on the heap'),
      against('consume-bytes', bytes.consume, 'B/message', bytes.rawConsume, 'raw amqplib, allocated on the heap'),
    ];
  } finally {
    await place.stop();
  }
}
