import { eventually } from '@keelson/testing';
import type { Messaging, MetricsPort } from '../src/index.ts';
import { orderPlaced } from './messages.ts';
import { memoryLog, Workbench } from './service.ts';

describe('a subscription with a circuit breaker', () => {
  let bench: Workbench;
  let messaging: Messaging;
  const log = memoryLog();
  const gauges = new Map<string, number>();
  const metrics: MetricsPort = {
    counter: () => ({ inc: () => undefined }),
    histogram: () => ({ observe: () => undefined }),
    gauge: ({ name }) => ({ set: (labels, value) => void gauges.set(`${name} ${labels['queue'] ?? ''}`, value) }),
  };
  beforeAll(async () => {
    bench = await Workbench.open();
    messaging = await bench.messaging({ metrics, log });
  });
  afterAll(() => bench.close());

  test('takes nothing while its dependency is away, tries one, and goes on when it is back', async () => {
    let away = true;
    let tried = 0;
    const handled: number[] = [];
    const subscription = await messaging.subscribe({
      queue: 'breaker.q',
      messages: [orderPlaced],
      concurrency: 4,
      retry: { quickDelaysMs: [], firstDelayMs: 100, maxDelayMs: 200, attempts: 1_000 },
      circuitBreaker: { minimum: 4, openMs: 300, maxOpenMs: 600 },
      handler: async ({ payload }) => {
        tried += 1;
        if (away) throw new Error('bank away');
        handled.push(payload.amount);
      },
    });
    await Promise.all(
      Array.from({ length: 60 }, (_, amount) => messaging.publish(orderPlaced, { orderId: 'o', amount })),
    );
    await eventually(() => subscription.circuit === 'open');
    const gauge = () => gauges.get('keelson_messaging_circuit_open breaker.q');
    expect(gauge()).toBe(1);
    expect(messaging.health()).toMatchObject({ healthy: true, consumers: [{ queue: 'breaker.q', circuit: 'open' }] });
    const atOpening = tried;
    // It opens again and again; each time one message was tried, and the others lie ready in the queue.
    const probes = () => log.lines.filter(({ message }) => message === 'one message is tried').length;
    await eventually(() => probes() >= 2 && subscription.circuit === 'open');
    // Those that ran when it opened may still have ended, three beside the one that opened it.
    expect(tried - atOpening).toBeLessThanOrEqual(probes() + 3);
    await eventually(async () => {
      const queue = (await bench.vhost.management(`/api/queues/${bench.vhost.vhost}/breaker.q`)) as {
        messages_ready?: number;
      };
      return (queue.messages_ready ?? 0) >= 40;
    });
    away = false;
    await eventually(() => subscription.circuit === 'closed');
    await eventually(() => handled.length === 60);
    expect(gauge()).toBe(0);
    expect(new Set(handled).size).toBe(60);
  });

  test('is attached again while it is open, and takes nothing then either', async () => {
    let away = true;
    let tried = 0;
    const subscription = await messaging.subscribe({
      queue: 'breaker.reconnect',
      messages: [orderPlaced],
      retry: { quickDelaysMs: [], firstDelayMs: 100, maxDelayMs: 200, attempts: 1_000 },
      circuitBreaker: { minimum: 1, openMs: 1_500 },
      handler: async () => {
        tried += 1;
        if (away) throw new Error('bank away');
      },
    });
    await messaging.publish(orderPlaced, { orderId: 'o', amount: 1 });
    await eventually(() => subscription.circuit === 'open');
    const before = tried;
    const connections = (await bench.vhost.management('/api/connections')) as { name: string; vhost: string }[];
    for (const { name, vhost } of connections) {
      if (vhost === bench.vhost.vhost)
        await bench.vhost.management(`/api/connections/${encodeURIComponent(name)}`, { method: 'DELETE' });
    }
    await messaging.publish(orderPlaced, { orderId: 'o', amount: 2 }).catch(() => undefined);
    if (subscription.circuit === 'open') expect(tried).toBe(before);
    away = false;
    await eventually(() => subscription.circuit === 'closed' && tried >= before + 1);
  });
});
