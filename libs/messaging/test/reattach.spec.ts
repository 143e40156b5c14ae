import { eventually, testRabbitMq } from '@keelson/testing';
import { Messaging, type MetricsPort } from '../src/index.ts';
import { catalogue, orderPlaced } from './messages.ts';
import { memoryLog, Workbench } from './service.ts';

/** Counts by name and labels. */
function counting(): MetricsPort & { of(reason: string): number } {
  const counts = new Map<string, number>();
  return {
    counter: ({ name }) => ({
      inc: (labels, value = 1) => {
        if (name !== 'keelson_messaging_reattached_total') return;
        counts.set(labels['reason'] ?? '', (counts.get(labels['reason'] ?? '') ?? 0) + value);
      },
    }),
    gauge: () => ({ set: () => undefined }),
    histogram: () => ({ observe: () => undefined }),
    of: (reason) => counts.get(reason) ?? 0,
  };
}

const payload = { orderId: 'o', amount: 1 };

/** For `rabbitmqctl eval`: a quorum queue forgets its consumers, and neither their channels nor their clients hear of it. */
const forgetConsumers = (queue: string): string => `
  {ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"${queue}">>)),
  [{ok, _, _} = ra:process_command(amqqueue:get_pid(Q),
    rabbit_fifo:make_checkout({element(2, C), element(1, C)}, cancel, #{})) || C <- rabbit_amqqueue:consumers(Q)],
  ok.`;

describe('a consumer that loses its place aborts its handler, attaches again and is counted', () => {
  let bench: Workbench;
  beforeAll(async () => (bench = await Workbench.open()));
  afterAll(() => bench.close());

  /** A consumer whose first handler waits until it is told to stop. */
  const consuming = async (messaging: Messaging, queue: string) => {
    const seen: { id: string; aborted: string | undefined }[] = [];
    await messaging.subscribe({
      queue,
      messages: [orderPlaced],
      handler: async (message, { signal }) => {
        const entry: (typeof seen)[number] = { id: message.id, aborted: undefined };
        seen.push(entry);
        if (seen.length > 1) return;
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        entry.aborted = String(signal.reason);
      },
    });
    await messaging.publish(orderPlaced, payload, { id: 'held' });
    await eventually(() => seen.length === 1);
    return seen;
  };

  test('when its queue is deleted (a delivery of null)', async () => {
    const metrics = counting();
    const messaging = await bench.messaging({ exchange: 'reattach-cancelled', metrics });
    const seen = await consuming(messaging, 'reattach.cancelled');
    await bench.vhost.management(`/api/queues/${bench.vhost.vhost}/reattach.cancelled`, { method: 'DELETE' });
    await eventually(() => seen[0]?.aborted !== undefined && messaging.health().healthy);
    expect(seen[0]?.aborted).toContain('the consumer was cancelled');
    expect(metrics.of('cancelled')).toBe(1);
    await eventually(() => messaging.publish(orderPlaced, payload, { id: 'next' }).then(() => true));
    await eventually(() => seen.some(({ id }) => id === 'next'));
  });

  test('when its connection is closed', async () => {
    const metrics = counting();
    const messaging = await bench.messaging({ exchange: 'reattach-connection', metrics, service: 'cut-me' });
    const seen = await consuming(messaging, 'reattach.connection');
    const ours = await eventually(async () => {
      const all = (await bench.vhost.management('/api/connections')) as {
        name: string;
        client_properties?: { connection_name?: string };
      }[];
      return all.find(({ client_properties }) => /^cut-me@.*consume/.test(client_properties?.connection_name ?? ''));
    });
    await bench.vhost.management(`/api/connections/${encodeURIComponent(ours.name)}`, { method: 'DELETE' });
    await eventually(() => seen.length === 2 && messaging.health().healthy);
    expect(seen[1]?.id).toBe('held');
    expect(seen[0]?.aborted).toContain('the connection was lost');
    expect(metrics.of('connection')).toBe(1);
  });

  test('when the broker does not know it any more, although connection and channel stand', async () => {
    const broker = await testRabbitMq();
    const metrics = counting();
    const log = memoryLog();
    const messaging = await Messaging.connect({ url: broker.amqpUrl, service: 'test', catalogue, metrics, log });
    try {
      const queue = 'reattach.forgotten';
      const seen: string[] = [];
      await messaging.subscribe({ queue, messages: [orderPlaced], handler: async ({ id }) => void seen.push(id) });
      await messaging.publish(orderPlaced, payload, { id: 'before' });
      await eventually(() => seen.length === 1);
      await messaging.settled();
      await broker.rabbitmqctl(['eval', forgetConsumers(queue)]);
      await messaging.publish(orderPlaced, payload, { id: 'after' });
      expect(messaging.health().healthy).toBe(true);
      // Asked for every 15 s.
      await eventually(() => metrics.of('unknown-to-broker') === 1);
      await eventually(() => seen.includes('after') && messaging.health().healthy);
      expect(seen).toEqual(['before', 'after']);
      expect(log.lines.map(({ message }) => message)).toContain(
        'the broker does not know this consumer any more; attaching again',
      );
    } finally {
      await messaging.close(500);
      await broker.stop();
    }
  });

  test('when the broker closes its channel after the consumer timeout (406)', async () => {
    const broker = await testRabbitMq();
    const metrics = counting();
    // Read by each channel as it begins; looked at in each tick.
    await broker.rabbitmqctl([
      'eval',
      'application:set_env(rabbit, consumer_timeout, 1000), application:set_env(rabbit, channel_tick_interval, 500).',
    ]);
    const messaging = await Messaging.connect({
      url: broker.amqpUrl,
      service: 'test',
      catalogue,
      metrics,
      log: memoryLog(),
    });
    try {
      const seen = await consuming(messaging, 'reattach.timeout');
      await eventually(() => seen.length === 2);
      expect(seen[1]?.id).toBe('held');
      expect(seen[0]?.aborted).toContain('it was not acknowledged within the consumer timeout');
      expect(metrics.of('acknowledgement-timeout')).toBe(1);
      await messaging.settled();
      expect(messaging.health().healthy).toBe(true);
    } finally {
      await messaging.close(500);
      await broker.stop();
    }
  });
});
