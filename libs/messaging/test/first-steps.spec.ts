import { outbox, type Received } from '../src/index.ts';
import { eventually } from '@keelson/testing';
import { orderPlaced } from './messages.ts';
import { Workbench } from './service.ts';

describe('a message', () => {
  let bench: Workbench;
  beforeAll(async () => (bench = await Workbench.open()));
  afterAll(() => bench.close());

  test('goes from a transaction through the outbox to a handler in its own transaction', async () => {
    const database = await bench.database();
    const messaging = await bench.messaging({ database });
    const seen: Received<typeof orderPlaced>[] = [];
    await messaging.subscribe({
      queue: 'test.first-steps',
      messages: [orderPlaced],
      handler: async (message, { tx }) => {
        await tx?.query('select 1');
        seen.push(message);
      },
    });
    await messaging.startOutboxRelay();
    await database.transaction((tx) => outbox(tx, orderPlaced, { orderId: 'a', amount: 3 }, { aggregate: 'order/a' }));
    await eventually(() => seen.length === 1);
    expect(seen[0]).toMatchObject({
      name: 'test.placed',
      payload: { orderId: 'a', amount: 3 },
      source: 'test',
      key: 'order/a',
    });
    await messaging.settled();
    expect(await database.query('select count(*)::int as n from inbox')).toEqual([{ n: 1 }]);
    expect(await database.query('select count(*)::int as n from outbox')).toEqual([{ n: 0 }]);
  });
});
