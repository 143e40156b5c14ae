import { eventually } from '@keelson/testing';
import { RunningShop } from './running-shop.ts';

describe('a queue that somebody deletes by hand', () => {
  let shop: RunningShop;
  beforeAll(async () => {
    shop = await RunningShop.open({ ORDER_DEADLINE_SECONDS: '15', SWEEP_EVERY_MS: '100' });
  });
  afterAll(() => shop?.close());

  const remove = (queue: string) =>
    shop.vhost.management(`/api/queues/${shop.vhost.vhost}/${queue}`, { method: 'DELETE' });
  const ended = async (id: string) => (await shop.ended(id)).status;

  test('holds up no order that nobody else takes: it waits in the outbox until the queue is there again', async () => {
    await remove('order-demo.inventory');
    const { status, body } = await shop.place();
    expect(status).toBe(202);
    expect(await ended(body.id)).toBe('confirmed');
  });

  test('costs what was on its way to it: such an order is taken back at its deadline, and the next one is confirmed', async () => {
    await remove('order-demo.coupons');
    const placed = await Promise.all(Array.from({ length: 5 }, () => shop.place()));
    for (const { body } of placed) expect(['confirmed', 'compensated']).toContain(await ended(body.id));
    await eventually(async () => (await ended((await shop.place()).body.id)) === 'confirmed', { withinMs: 60_000 });
    await eventually(async () => (await shop.verify()).ok);
  });
});
