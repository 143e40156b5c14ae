import { EXCHANGE, orderPaid } from '@keelson/contracts';
import { eventually } from '@keelson/testing';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { RunningShop } from './running-shop.ts';
import { anOrder } from './shop.ts';

describe('messages that cannot be processed', () => {
  let shop: RunningShop;
  beforeAll(async () => {
    // Long enough that on a slow machine every order ends before it whose parts can be done.
    shop = await RunningShop.open({ ORDER_DEADLINE_SECONDS: '15', SWEEP_EVERY_MS: '100' });
  });
  afterAll(() => shop?.close());

  test('an order that one role cannot process is compensated at its deadline, says why, and gives its stock back', async () => {
    const client = new pg.Client({ connectionString: shop.database.url });
    await client.connect();
    // The fault is in the real part: this one customer's coupon cannot be written.
    await client.query(`
      CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN IF NEW.customer = 'poison' THEN RAISE EXCEPTION 'poison'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER refuse_poison BEFORE INSERT ON coupons FOR EACH ROW EXECUTE FUNCTION refuse_poison();`);
    await client.end();
    const before = (await shop.stock()).body.items;
    const { body } = await shop.place(anOrder({ customer: 'poison' }));
    const order = await shop.ended(body.id, 90_000);
    expect(order.history.find(({ step }) => step === 'compensated')).toMatchObject({
      detail: 'no coupon within 15 s',
    });
    expect((await shop.stock()).body.items).toEqual(before);
    await eventually(async () => (await shop.verify()).ok);
  });

  test('a handler that never ends keeps nobody else waiting, and its order is taken back', async () => {
    const client = new pg.Client({ connectionString: shop.database.url });
    await client.connect();
    await client.query(`
      CREATE FUNCTION sleep_for_ever() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN IF NEW.customer = 'endless' THEN PERFORM pg_sleep(86400); END IF; RETURN NEW; END $$;
      CREATE TRIGGER sleep_for_ever BEFORE INSERT ON coupons FOR EACH ROW EXECUTE FUNCTION sleep_for_ever();`);
    const { body: endless } = await shop.place(anOrder({ customer: 'endless' }));
    const sleeps = async () => {
      const { rowCount } = await client.query(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'",
      );
      return rowCount === 1;
    };
    await eventually(sleeps);
    // On a slow machine one of the others may miss its deadline, too; if the handler held them up, all would.
    await eventually(async () => {
      const { body: other } = await shop.place();
      const { status } = await shop.ended(other.id, 90_000);
      return status === 'confirmed' && (await sleeps());
    });
    await client.end();
    expect((await shop.ended(endless.id, 90_000)).status).toBe('compensated');
    await eventually(async () => (await shop.verify()).ok);
  });

  test('a message that breaks its contract is parked by each role with the reason and not tried again, and others go past it', async () => {
    const publish = (payload: string) =>
      shop.vhost.management(`/api/exchanges/${shop.vhost.vhost}/${EXCHANGE}/publish`, {
        method: 'POST',
        body: {
          properties: {
            message_id: randomUUID(),
            type: orderPaid.type,
            delivery_mode: 2,
            content_type: 'application/json',
          },
          routing_key: orderPaid.routingKey,
          payload,
          payload_encoding: 'string',
        },
      });
    await publish('{"orderId": 7}');
    await publish('not JSON at all');
    const waiting = async (queue: string) => {
      const answer = (await shop.vhost.management(`/api/queues/${shop.vhost.vhost}/${queue}/get`, {
        method: 'POST',
        body: { count: 5, ackmode: 'ack_requeue_true', encoding: 'auto' },
      })) as { properties: { headers: Record<string, unknown> } }[];
      return answer.length === 2 && answer;
    };
    for (const role of ['documents', 'coupons', 'notifications']) {
      const parked = await eventually(() => waiting(`order-demo.${role}.parked`));
      for (const { properties } of parked) {
        expect(String(properties.headers['keelson-reason'])).not.toBe('');
        expect(properties.headers['keelson-attempts']).toBe(1);
      }
    }
    const { body } = await shop.place();
    await eventually(async () => (await shop.get(body.id)).body.status === 'confirmed');
  });

  test('a version that nobody here knows is parked at once with the reason, and not tried again', async () => {
    await shop.vhost.management(`/api/exchanges/${shop.vhost.vhost}/amq.default/publish`, {
      method: 'POST',
      body: {
        properties: { message_id: randomUUID(), type: 'dev.keelson.order.paid.v9', delivery_mode: 2 },
        routing_key: 'order-demo.documents',
        payload: '{}',
        payload_encoding: 'string',
      },
    });
    const parked = await eventually(async () => {
      const messages = (await shop.vhost.management(`/api/queues/${shop.vhost.vhost}/order-demo.documents.parked/get`, {
        method: 'POST',
        body: { count: 10, ackmode: 'ack_requeue_true', encoding: 'auto' },
      })) as { properties: { headers: Record<string, unknown> } }[];
      return messages.find(({ properties }) => properties.headers['keelson-code'] === 'unknown-message');
    });
    expect(parked.properties.headers['keelson-reason']).toMatch(
      /order\.paid\.v9 is not handled by order-demo\.documents/,
    );
    expect(parked.properties.headers['keelson-attempts']).toBe(1);
  });
});
