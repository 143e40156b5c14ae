import { type ParkedActResult, type ParkedMessageView, type QueueState, UNCLAIMED } from '@keelson/contracts';
import { eventually, testDatabase, type TestDatabase, testVhost, type TestVhost } from '@keelson/testing';
import { eventRelay, type EventRelay } from './support/service.ts';

describe('the parking lot of delayed messages that found no queue', () => {
  let database: TestDatabase;
  let vhost: TestVhost;
  let relay: EventRelay;
  beforeAll(async () => {
    [database, vhost] = await Promise.all([testDatabase(), testVhost()]);
    relay = await eventRelay({ databaseUrl: database.url, amqpUrl: vhost.amqpUrl });
  });
  afterAll(async () => {
    await relay?.stop();
    await Promise.all([database?.drop(), vhost?.delete()]);
  });

  const get = async <T>(path: string) => (await relay.call<T>('GET', `/v1/messages/${path}`)).body;
  const post = async (path: string, json: object) =>
    (await relay.call<ParkedActResult>('POST', `/v1/messages/parked/${path}`, { json })).body;
  const queues = async () => (await get<{ items: QueueState[] }>('queues')).items.map(({ queue }) => queue);

  test('is reached over HTTP at any service: seen, looked into, sent again and emptied', async () => {
    await eventually(async () => (await queues()).length > 0);
    expect(await queues()).not.toContain(UNCLAIMED);
    // As a delayed retry comes back whose queue is gone.
    await eventually(async () => {
      const { routed } = (await vhost.management(`/api/exchanges/${vhost.vhost}/keelson.delay.100ms.events/publish`, {
        method: 'POST',
        body: {
          routing_key: `${'0.'.repeat(15)}1.event-relay.gone`,
          payload: '{}',
          payload_encoding: 'string',
          properties: { message_id: 'm-1', headers: { 'keelson-reason': 'no database' } },
        },
      })) as { routed: boolean };
      return routed;
    });
    const state = await eventually(async () =>
      (await get<{ items: QueueState[] }>('queues')).items.find(({ queue }) => queue === UNCLAIMED),
    );
    expect(state).toMatchObject({ parked: 1, lotOnly: true });
    const { items } = await get<{ items: ParkedMessageView[] }>(`parked?queue=${UNCLAIMED}`);
    const reason = 'queue event-relay.gone was not there when it was to be tried again; it had failed: no database';
    expect(items).toMatchObject([{ id: 'm-1', queue: UNCLAIMED, code: 'queue-missing', reason }]);
    expect(await get(`parked/${UNCLAIMED}/m-1`)).toMatchObject({ id: 'm-1', body: '{}' });
    expect(await post('redrive', { queue: UNCLAIMED })).toMatchObject({ done: 0, stopped: { code: 'not-accepted' } });
    expect(await post('discard', { queue: UNCLAIMED })).toMatchObject({ done: 1 });
    expect(await queues()).not.toContain(UNCLAIMED);
  });
});
