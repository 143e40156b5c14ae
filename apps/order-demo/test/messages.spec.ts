import type { ParkedActResult, ParkedGroup, ParkedMessageView, Problem, QueueState } from '@keelson/contracts';
import { EXCHANGE, orderPaid } from '@keelson/contracts';
import { eventually } from '@keelson/testing';
import { randomUUID } from 'node:crypto';
import { OPERATOR, READER, TOKEN } from './role-process.ts';
import { RunningShop } from './running-shop.ts';

describe('the queues of the shop over HTTP', () => {
  const queue = 'order-demo.coupons';
  let shop: RunningShop;
  beforeAll(async () => {
    shop = await RunningShop.open(({ managementUrl }) => ({ AMQP_MANAGEMENT_URL: managementUrl }));
  });
  afterAll(() => shop?.close());

  const get = async <T>(path: string, token = OPERATOR) =>
    shop.call<T & Partial<Problem>>('GET', `/v1/messages/${path}`, { token });
  const post = async <T = ParkedActResult>(path: string, body: unknown) =>
    shop.call<T & Partial<Problem>>('POST', `/v1/messages/parked/${path}`, { token: OPERATOR, body });
  const park = async (id: string): Promise<void> => {
    await shop.vhost.management(`/api/exchanges/${shop.vhost.vhost}/${EXCHANGE}/publish`, {
      method: 'POST',
      body: {
        routing_key: orderPaid.routingKey,
        payload: JSON.stringify({ orderId: 7 }),
        payload_encoding: 'string',
        properties: {
          message_id: id,
          content_type: 'application/json',
          headers: {
            'cloudEvents:specversion': '1.0',
            'cloudEvents:id': id,
            'cloudEvents:source': 'test',
            'cloudEvents:type': orderPaid.type,
          },
        },
      },
    });
  };
  const listed = async (query = '') =>
    (await get<{ items: ParkedMessageView[] }>(`parked?queue=${queue}${query}`)).body.items;

  test('are listed with depth, consumers, rates and what is parked', async () => {
    const body = await eventually(async () => {
      const { body: read } = await get<{ items: QueueState[]; source: string }>('queues');
      return read.items.every(({ consumers }) => consumers > 0) ? read : undefined;
    });
    expect(body.source).toBe('management');
    expect(body.items.map((one) => one.queue)).toContain(queue);
    for (const item of body.items) expect(item).toMatchObject({ ready: expect.any(Number), parked: 0 });
  });

  test('are for tokens of all teams only, and an unknown one is named with those that there are', async () => {
    expect(await get('queues', READER)).toMatchObject({ status: 403, body: { code: 'scope-missing' } });
    expect(await get('queues', TOKEN)).toMatchObject({ status: 403, body: { code: 'all-teams-needed' } });
    const { status, body } = await get<Problem>('parked?queue=no.such');
    expect(status).toBe(404);
    expect(body.detail).toContain(`there are: ${queue}`);
    expect(await get(`parked?queue=${queue}&cursor=%21%21`)).toMatchObject({ status: 422 });
  });

  test('have parking lots that one can look into, send again from, correct and empty', async () => {
    const ids = [randomUUID(), randomUUID(), randomUUID()];
    for (const id of ids) await park(id);
    await eventually(async () => (await listed()).length === 3);
    const { body: groups } = await get<{ items: ParkedGroup[] }>(`parked/groups?queue=${queue}`);
    expect(groups.items).toMatchObject([{ code: 'invalid-payload', count: 3, type: orderPaid.type }]);
    const { body: first } = await get<{ items: ParkedMessageView[]; next?: string }>(`parked?queue=${queue}&limit=2`);
    expect(first.items.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect((await listed(`&limit=2&cursor=${first.next}`)).map(({ id }) => id)).toEqual(ids.slice(2));
    const { body: one } = await get<ParkedMessageView>(`parked/${queue}/${ids[1]}`);
    expect(one).toMatchObject({ id: ids[1], body: '{"orderId":7}', code: 'invalid-payload' });
    expect((await get(`parked/${queue}/nobody`)).status).toBe(404);

    expect((await post('redrive', { queue, dryRun: true, text: 'orderId' })).body).toMatchObject({
      matched: 3,
      done: 0,
    });
    const { body: again } = await post('redrive', { queue, ids: [ids[0]] });
    expect(again).toMatchObject({ done: 1, stopped: { code: 'failed-again', id: ids[0] } });

    const wrong = await post<Problem>(`${queue}/${ids[1]}/edit`, { payload: { orderId: 8 } });
    expect(wrong).toMatchObject({ status: 422, body: { code: 'invalid-request' } });
    expect(wrong.body.errors?.[0]?.detail).toContain('orderId');
    expect(wrong.body.detail).not.toContain('orderId'); // each fault is said once

    expect((await post('discard', { queue, dryRun: true })).body).toMatchObject({ matched: 3, done: 0 });
    expect((await post('discard', { queue, ids: [ids[2]] })).body).toMatchObject({ done: 1 });
    expect((await post('discard', { queue })).body).toMatchObject({ done: 2, more: false });
    expect(await listed()).toEqual([]);
  });
});
