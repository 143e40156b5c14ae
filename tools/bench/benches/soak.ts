import type { Figure } from '../figures.ts';
import { AS_SHIPPED, Place } from '../place.ts';

const MIB = 2 ** 20;

/** Publishes and consumes in one process as fast as it goes for so long: does its memory stay what it is? */
export async function soak(root: string, { seconds }: { seconds: number }): Promise<Figure[]> {
  const place = await new Place(root).start();
  try {
    // A queue that grows for a while must not set off the memory alarm of 512 MiB that tests have.
    await place.rabbit.rabbitmqctl(['set_vm_memory_high_watermark', 'absolute', '2GiB']);
    const result = await place.program<{ perSecond: number; leastBytes: number; mostBytes: number }>(
      'tools/bench/benches/soak.program.ts',
      { BENCH_AMQP_URL: place.rabbit.amqpUrl, BENCH_SECONDS: String(seconds), NODE_OPTIONS: AS_SHIPPED },
    );
    return [
      { name: 'soak', value: result.perSecond, unit: 'messages/s' },
      { name: 'soak-memory', value: (result.mostBytes - result.leastBytes) / MIB, unit: 'MiB' },
      { name: 'soak-memory-most', value: result.mostBytes / MIB, unit: 'MiB' },
    ];
  } finally {
    await place.stop();
  }
}
