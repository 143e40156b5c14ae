import { Database } from '@keelson/persistence';
import { startProcess, testDatabase, type TestDatabase } from '@keelson/testing';
import { join } from 'node:path';
import { RecordingPaymentProvider } from '../src/payments/recording-provider.ts';
import { migrations } from '../src/schema/migrations.ts';
import { seedArticles } from '../src/stock/seed.ts';
import { gatherEvidence } from '../src/verification/evidence.ts';
import { judge } from '../src/verification/rules.ts';

// One good order of each kind: they must never be named. The number is part of the id.
const good = /* sql */ `
INSERT INTO orders (id, team, principal, idempotency_key, fingerprint, series, number, customer, phone, lines, total_cents,
                    accepted_by, accepted_at, status, ended_at, reason)
SELECT format('00000000-0000-7000-8000-%s', lpad(n::text, 12, '0'))::uuid, 'shop', 'shop', 'key-' || n, 'f', 'SO-2026', n, 'Ada',
       '+49151123456', '[{"sku": "SKU-001", "quantity": 2, "priceCents": 990}]', 1980, 'v1', now() - interval '1 hour', status,
       CASE WHEN status <> 'accepted' THEN now() - interval '1 hour' END, CASE WHEN status = 'compensated' THEN 'cancelled' END
  FROM (VALUES (1, 'confirmed'), (2, 'confirmed'), (3, 'compensated')) AS o(n, status);
INSERT INTO saga (name, key, definition_version, version, state, data, steps, started_at, ended_at)
SELECT 'order', id, 1, 5, CASE status WHEN 'confirmed' THEN 'completed' ELSE status END, '{}', '{}', accepted_at, ended_at FROM orders;
INSERT INTO payments (order_id, amount_cents, state, payment_id) SELECT id, total_cents, 'taken', 'p' FROM orders WHERE status = 'confirmed';
INSERT INTO payments (order_id, amount_cents, state, payment_id) SELECT id, total_cents, 'reversed', 'p' FROM orders WHERE status = 'compensated';
INSERT INTO payment_ledger (reference, amount_cents, status, refunded_cents)
SELECT id, total_cents, CASE status WHEN 'confirmed' THEN 'succeeded' ELSE 'reversed' END, CASE status WHEN 'confirmed' THEN 0 ELSE total_cents END FROM orders;
INSERT INTO documents (id, order_id, made_at) SELECT uuidv7(), id, now() FROM orders WHERE status = 'confirmed';
INSERT INTO coupons (id, order_id, made_at) SELECT uuidv7(), id, now() FROM orders WHERE status = 'confirmed';
INSERT INTO coupons (id, order_id, made_at, withdrawn_at) SELECT uuidv7(), id, now(), now() FROM orders WHERE status = 'compensated';
INSERT INTO sms_deliveries (notification, order_id, phone, text) SELECT uuidv7(), id, phone, '' FROM orders WHERE status = 'confirmed';
INSERT INTO document_series VALUES ('SO-2026', 3);
UPDATE articles SET available = received - 4, sold = 4 WHERE sku = 'SKU-001';
`;

const id = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const options = { graceMs: 30_000, deadlineMs: 300_000 };

/** An order that was accepted some seconds ago, with its stock reserved, and whose process stands as given. */
const openOrder = (secondsAgo: number, process = '') => /* sql */ `
INSERT INTO orders (id, team, principal, idempotency_key, fingerprint, series, number, customer, phone, lines, total_cents, accepted_by, accepted_at)
VALUES ('${id(4)}', 'shop', 'shop', 'key-4', 'f', 'SO-2026', 4, 'Ada', '+49151123456', '[{"sku": "SKU-001", "quantity": 2}]', 1980, 'v1', now() - interval '${secondsAgo} seconds');
UPDATE document_series SET last_number = 4;
UPDATE articles SET available = available - 2, reserved = reserved + 2 WHERE sku = 'SKU-001';
${process}`;
const saga = (state: string, steps: string, waitingFor = 'NULL', dueAt = "now() + interval '1 minute'") => /* sql */ `
INSERT INTO saga (name, key, definition_version, version, state, data, steps, waiting_for, started_at, due_at)
VALUES ('order', '${id(4)}', 1, 2, '${state}', '{}', '${steps}', ${waitingFor}, now(), ${dueAt});`;
const unsent = `INSERT INTO outbox (aggregate, message_id, routing_key, mandatory, headers, body) VALUES ('${id(4)}', '${id(4)}', 'order.accepted.v1', true, '{}', '{}');`;
/** What the relay does with a row that the broker refuses. */
const setAside = /* sql */ `
WITH gone AS (DELETE FROM outbox WHERE aggregate = '${id(4)}' RETURNING *)
INSERT INTO outbox_deferred (id, shard, aggregate, message_id, routing_key, mandatory, headers, body, created_at, refusals, until)
SELECT id, shard, aggregate, message_id, routing_key, mandatory, headers, body, created_at, 1, now() FROM gone;`;

describe('the verifier', () => {
  let server: TestDatabase;
  let database: Database;

  beforeEach(async () => {
    server = await testDatabase();
    database = await Database.open({ url: server.url, name: 'verifier test', migrations, poolSize: 2 });
    await seedArticles(database, { articles: 2, units: 100 });
    await database.query(good);
  });

  afterEach(async () => {
    await database?.close();
    await server?.drop();
  });

  const verdict = async (expected: string[] = []) =>
    judge(
      await gatherEvidence(database, { ...options, payments: new RecordingPaymentProvider(database), expected }),
      options,
    );

  test('names nothing where nothing is wrong, whoever asks for whom', async () => {
    expect(await verdict([id(1), id(2), id(3)])).toMatchObject({
      accepted: 3,
      confirmed: 2,
      compensated: 1,
      lost: [],
      doubled: [],
      stuck: [],
      negative: [],
      findings: [],
      ok: true,
    });
  });

  test('leaves an order within the grace time alone', async () => {
    await database.query(openOrder(10));
    expect(await verdict()).toMatchObject({ accepted: 4, ok: true });
  });

  test.each([
    { name: 'an order that was answered 202 and is not there', plant: '', expected: [id(9)], lost: [id(9)] },
    {
      name: 'the row of an order gone, its number with it',
      plant: `DELETE FROM sms_deliveries; DELETE FROM orders WHERE number = 3; DELETE FROM coupons WHERE order_id = '${id(3)}'`,
      lost: ['SO-2026-000003', id(1), id(2)],
    },
    {
      name: 'a number given out that nobody has',
      plant: 'UPDATE document_series SET last_number = 4',
      lost: ['SO-2026-000004'],
    },
    {
      name: 'work done for an order that is not there',
      plant: `INSERT INTO coupons (id, order_id, made_at) VALUES (uuidv7(), '${id(8)}', now())`,
      lost: [id(8)],
    },
    { name: 'an open order long after its deadline', plant: openOrder(3600), lost: [id(4)] },
    {
      name: 'a confirmed order without its document',
      plant: `DELETE FROM documents WHERE order_id = '${id(2)}'`,
      lost: [id(2)],
    },
    {
      name: 'a confirmed order without its coupon',
      plant: `DELETE FROM coupons WHERE order_id = '${id(1)}'`,
      lost: [id(1)],
    },
    {
      name: 'a confirmed order whose coupon was withdrawn',
      plant: `UPDATE coupons SET withdrawn_at = now() WHERE order_id = '${id(1)}'`,
      lost: [id(1)],
    },
    {
      name: 'a confirmed order without its SMS',
      plant: `DELETE FROM sms_deliveries WHERE order_id = '${id(1)}'`,
      lost: [id(1)],
    },
    {
      name: 'a confirmed order whose document was voided',
      plant: `UPDATE documents SET withdrawn_at = now() WHERE order_id = '${id(2)}'`,
      lost: [id(2)],
    },
    {
      name: 'a confirmed order whose payment nobody noted',
      plant: `DELETE FROM payments WHERE order_id = '${id(2)}'`,
      lost: [id(2)],
    },
    {
      name: 'a confirmed order that the provider took no money for',
      plant: `DELETE FROM payment_ledger WHERE reference = '${id(1)}'`,
      lost: [id(1)],
    },
    {
      name: 'money taken for an order that is not there',
      plant: `INSERT INTO payment_ledger (reference, amount_cents, status) VALUES ('${id(9)}', 100, 'succeeded')`,
      lost: [id(9)],
    },
    {
      name: 'an open order whose saga has ended',
      plant: openOrder(3600, saga('running', '{}') + `UPDATE saga SET state = 'completed' WHERE key = '${id(4)}';`),
      lost: [id(4)],
    },
  ])('calls lost: $name', async ({ plant, expected, lost }) => {
    await database.query(plant || 'SELECT 1');
    const found = await verdict(expected);
    expect([...found.lost].sort()).toEqual([...lost].sort());
    expect(found).toMatchObject({ doubled: [], stuck: [], negative: found.negative, ok: false });
  });

  test.each([
    {
      name: 'two coupons',
      plant: `DROP INDEX coupons_order; INSERT INTO coupons (id, order_id, made_at) VALUES (uuidv7(), '${id(1)}', now())`,
      doubled: [id(1)],
    },
    {
      name: 'two documents',
      plant: `DROP INDEX documents_order; INSERT INTO documents (id, order_id, made_at) VALUES (uuidv7(), '${id(2)}', now())`,
      doubled: [id(2)],
    },
    {
      name: 'two SMS',
      plant: `INSERT INTO sms_deliveries (notification, order_id, phone, text) VALUES (uuidv7(), '${id(1)}', '', '')`,
      doubled: [id(1)],
    },
    {
      name: 'an order charged twice',
      plant: `DROP INDEX payment_ledger_reference; INSERT INTO payment_ledger (reference, amount_cents, status) VALUES ('${id(1)}', 1980, 'succeeded')`,
      doubled: [id(1)],
    },
    {
      name: 'two orders for one idempotency key',
      plant: `DROP INDEX orders_idempotency; UPDATE orders SET idempotency_key = 'key-1' WHERE number = 2`,
      doubled: [id(1), id(2)],
    },
    {
      name: 'two orders with one document number',
      plant: `DROP INDEX orders_document; UPDATE orders SET number = 1 WHERE number = 2`,
      doubled: [id(1), id(2)],
      lost: ['SO-2026-000002'],
    },
  ])('calls doubled: $name', async ({ plant, doubled, lost = [] }) => {
    await database.query(plant);
    expect(await verdict()).toMatchObject({ doubled, lost, stuck: [], negative: [], ok: false });
  });

  test.each([
    {
      name: 'an open order that waits for others',
      plant: openOrder(60, saga('running', '{"payment": {"state": "done"}, "coupon": {"state": "begun"}}')),
      reason: /its saga waits for coupon; times out at/,
    },
    {
      name: 'an open order whose refund is not reported',
      plant: openOrder(3600, saga('compensating', '{"payment": {"state": "undoing"}}')),
      reason: /its saga takes back payment; times out at/,
    },
    {
      name: 'a young order whose saga has not begun',
      plant: openOrder(60),
      reason: /its saga has not begun; look into order-demo.inventory and its parking lot/,
    },
    {
      name: 'an open order whose message is still in the outbox',
      plant: openOrder(3600, unsent),
      reason: /1 of its messages are still in the outbox/,
    },
    {
      name: 'an open order whose message a full queue refused',
      plant: openOrder(3600, unsent + setAside),
      reason: /1 of its messages are still in the outbox/,
    },
    {
      name: 'an order that is done but not confirmed',
      plant: openOrder(3600, saga('running', '{}', "'sale/do'", 'NULL')),
      reason: /its saga waits for the inventory role: sale\/do is due/,
    },
    {
      name: 'a compensated order whose money was not given back',
      plant: `UPDATE payment_ledger SET status = 'succeeded', refunded_cents = 0 WHERE reference = '${id(3)}'`,
      reason: /it is compensated, but 1980 cents were not given back/,
      stuck: [id(3)],
    },
    {
      name: 'a compensated order whose payment is not reversed',
      plant: `UPDATE payments SET state = 'taken' WHERE order_id = '${id(3)}'`,
      reason: /its payment was not withdrawn/,
      stuck: [id(3)],
    },
    {
      name: 'an order and a saga that end differently',
      plant: `UPDATE saga SET state = 'compensated' WHERE key = '${id(1)}'`,
      reason: /it is confirmed, but its saga is compensated/,
      stuck: [id(1)],
    },
    {
      name: 'a compensated order whose coupon was not withdrawn',
      plant: `UPDATE coupons SET withdrawn_at = NULL WHERE order_id = '${id(3)}'`,
      reason: /its coupon was not withdrawn/,
      stuck: [id(3)],
    },
    {
      name: 'a compensated order whose document is still valid',
      plant: `INSERT INTO documents (id, order_id, made_at) VALUES (uuidv7(), '${id(3)}', now())`,
      reason: /its document was not withdrawn/,
      stuck: [id(3)],
    },
  ])('calls stuck: $name', async ({ plant, reason, stuck = [id(4)] }) => {
    await database.query(plant);
    const found = await verdict();
    expect(found).toMatchObject({ stuck, lost: [], doubled: [], negative: [], ok: false });
    expect(found.findings![0]!.reason).toMatch(reason);
  });

  test.each([
    {
      name: 'stock below zero',
      plant: `ALTER TABLE articles DROP CONSTRAINT articles_available_check; UPDATE articles SET available = -1, received = -1 + reserved + sold WHERE sku = 'SKU-002'`,
      reason: /available is -1/,
    },
    {
      name: 'stock that does not add up',
      plant: `UPDATE articles SET available = available - 1 WHERE sku = 'SKU-002'`,
      reason: /available \+ reserved \+ sold is 99, received 100/,
    },
    {
      name: 'stock reserved for no order',
      plant: `UPDATE articles SET available = available - 1, reserved = 1 WHERE sku = 'SKU-002'`,
      reason: /reserved is 1, open orders hold 0/,
    },
    {
      name: 'stock sold to nobody',
      plant: `UPDATE articles SET available = available - 1, sold = 1 WHERE sku = 'SKU-002'`,
      reason: /sold is 1, confirmed orders hold 0/,
    },
  ])('calls negative: $name', async ({ plant, reason }) => {
    await database.query(
      plant.includes('received = -1')
        ? `ALTER TABLE articles DROP CONSTRAINT articles_received_check; ${plant}`
        : plant,
    );
    const found = await verdict();
    expect(found).toMatchObject({ negative: ['SKU-002'], lost: [], doubled: [], stuck: [], ok: false });
    expect(found.findings![0]!.reason).toMatch(reason);
  });

  test('calls negative: an order charged in another amount', async () => {
    await database.query(`UPDATE payment_ledger SET amount_cents = 1 WHERE reference = '${id(1)}'`);
    expect(await verdict()).toMatchObject({ negative: [id(1)], lost: [], doubled: [], stuck: [], ok: false });
  });

  test('as a program ends with 0 where all is well, with 1 and the ids where not, with 78 without a database', async () => {
    const run = async (env: Record<string, string>) => {
      const lines: string[] = [];
      const program = join(import.meta.dirname, '../dist/verify.js');
      const { exited } = await startProcess({
        name: 'verify',
        command: [process.execPath, program],
        env: { ...env, NODE_OPTIONS: undefined },
        onLine: (line) => lines.push(line),
      });
      return { code: (await exited).code, output: lines.join('\n') };
    };
    expect(await run({ DATABASE_URL: server.url })).toEqual({
      code: 0,
      output: '3 accepted, 2 confirmed, 1 compensated; 0 lost, 0 doubled, 0 stuck, 0 negative',
    });
    await database.query(openOrder(3600));
    const bad = await run({ DATABASE_URL: server.url });
    expect(bad.code).toBe(1);
    expect(bad.output).toContain(`lost\t${id(4)}\topen since`);
    const none = await run({ DATABASE_URL: '' });
    expect(none.code).toBe(78);
    expect(none.output).toContain('DATABASE_URL');
  });
});
