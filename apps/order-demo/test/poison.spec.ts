import { EXCHANGE, orderAccepted } from '@keelson/contracts';
import { eventually, testDatabase, type TestDatabase, testVhost, type TestVhost } from '@keelson/testing';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type RoleProcess, startRole, tokensFile } from './role-process.ts';
import { anOrder, Shop } from './shop.ts';

describe('messages that cannot be processed', () => {
  const tokens = tokensFile();
  let database: TestDatabase;
  let vhost: TestVhost;
  let service: RoleProcess;
  let shop: Shop;

  beforeAll(async () => {
    [database, vhost] = await Promise.all([testDatabase(), testVhost()]);
    service = await startRole({
      role: 'all',
      databaseUrl: database.url,
      amqpUrl: vhost.amqpUrl,
      tokens: tokens.path,
      env: { ORDER_DEADLINE_SECONDS: '3', SWEEP_EVERY_MS: '100' },
    });
    shop = new Shop(service.url);
  });

  afterAll(async () => {
    await service?.stop();
    await Promise.all([database?.drop(), vhost?.delete()]);
    tokens.remove();
  });

  test('an order that one role cannot process is compensated at its deadline, says why, and gives its stock back', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    // The fault is in the real part: this one customer's coupon cannot be written.
    await client.query(`
      CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN IF NEW.customer = 'poison' THEN RAISE EXCEPTION 'poison'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER refuse_poison BEFORE INSERT ON coupons FOR EACH ROW EXECUTE FUNCTION refuse_poison();`);
    await client.end();
    const before = (await shop.stock()).body.items;
    const { body } = await shop.place(anOrder({ customer: 'poison' }));
    const order = await eventually(
      async () => {
        const { body: now } = await shop.get(body.id);
        return now.status !== 'accepted' && now;
      },
      { withinMs: 90_000 },
    );
    expect(order.history.find(({ step }) => step === 'compensated')).toMatchObject({
      detail: 'no coupon within 3 s of acceptance',
    });
    expect((await shop.stock()).body.items).toEqual(before);
    await eventually(async () => (await shop.verify()).ok);
  });

  test('a message that breaks its contract is parked by each role with the reason, and others go past it', async () => {
    const publish = (payload: string) =>
      vhost.management(`/api/exchanges/${vhost.vhost}/${EXCHANGE}/publish`, {
        method: 'POST',
        body: {
          properties: {
            message_id: randomUUID(),
            type: orderAccepted.type,
            delivery_mode: 2,
            content_type: 'application/json',
          },
          routing_key: orderAccepted.routingKey,
          payload,
          payload_encoding: 'string',
        },
      });
    await publish('{"orderId": 7}');
    await publish('not JSON at all');
    const waiting = async (queue: string) => {
      const answer = (await vhost.management(`/api/queues/${vhost.vhost}/${queue}/get`, {
        method: 'POST',
        body: { count: 5, ackmode: 'ack_requeue_true', encoding: 'auto' },
      })) as { properties: { headers: Record<string, unknown> } }[];
      return answer.length === 2 && answer;
    };
    for (const role of ['documents', 'coupons', 'notifications']) {
      const parked = await eventually(() => waiting(`order-demo.${role}.parked`));
      for (const message of parked) expect(String(message.properties.headers['keelson-reason'])).not.toBe('');
    }
    const { body } = await shop.place();
    await eventually(async () => (await shop.get(body.id)).body.status === 'confirmed');
  });
});
