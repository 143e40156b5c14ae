import { orderAccepted } from '@keelson/contracts';
import { Database } from '@keelson/persistence';
import { eventually, testDatabase, type TestDatabase } from '@keelson/testing';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { fingerprintOf, type NewOrder, type Outcome } from '../src/accepting/new-order.ts';
import { OrderStore } from '../src/accepting/order-store.ts';
import { uuid7 } from '../src/accepting/uuid7.ts';
import { RecordingPaymentProvider } from '../src/payments/recording-provider.ts';
import { migrations } from '../src/schema/migrations.ts';
import { seedArticles } from '../src/stock/seed.ts';
import { gatherEvidence } from '../src/verification/evidence.ts';
import { judge } from '../src/verification/rules.ts';
import { anOrder } from './shop.ts';

function aNewOrder(fields: Partial<NewOrder> = {}): NewOrder {
  const order = anOrder({ lines: fields.lines ?? [{ sku: 'SKU-001', quantity: 1 }] });
  return {
    ...order,
    id: uuid7(),
    team: 'shop',
    principal: 'shop',
    key: randomUUID(),
    fingerprint: fingerprintOf(order),
    ...fields,
  };
}

const kinds = (outcomes: readonly Outcome[]) => outcomes.map(({ kind }) => kind);

describe('accepting orders on a real PostgreSQL', () => {
  let server: TestDatabase;
  let database: Database;
  let store: OrderStore;
  const open = () => Database.open({ url: server.url, name: 'order-demo', migrations });
  const storeOn = (database: Database) =>
    new OrderStore({ database, version: 'v1', retryMs: 5_000, now: () => new Date('2026-03-01') });
  const stock = async (sku: string) =>
    (
      await database.query<{ available: string; reserved: string }>(
        'SELECT available, reserved FROM articles WHERE sku = $1',
        [sku],
      )
    )[0]!;
  const restock = (sku: string, units: number) =>
    database.execute('UPDATE articles SET received = reserved + sold + $2, available = $2 WHERE sku = $1', [
      sku,
      units,
    ]);

  beforeAll(async () => {
    server = await testDatabase();
    database = await open();
    store = storeOn(database);
    await seedArticles(database, { articles: 4, units: 1_000_000 });
  });

  afterAll(async () => {
    await database?.close();
    await server?.drop();
  });

  test('seeding again adds nothing and puts nothing back', async () => {
    expect(await seedArticles(database, { articles: 9, units: 5 })).toBe(0);
  });

  test('numbers run on without a gap, over batches and whatever was refused in between', async () => {
    const outcomes = [
      ...(await store.accept([aNewOrder(), aNewOrder({ lines: [{ sku: 'nothing', quantity: 1 }] }), aNewOrder()])),
      ...(await store.accept([aNewOrder()])),
    ];
    expect(kinds(outcomes)).toEqual(['accepted', 'unknown-sku', 'accepted', 'accepted']);
    const numbers = outcomes.flatMap((outcome) => (outcome.kind === 'accepted' ? [Number(outcome.number)] : []));
    expect(numbers).toEqual([numbers[0], numbers[0]! + 1, numbers[0]! + 2]);
  });

  test('the stock of a batch goes to those who came first, line by line', async () => {
    await restock('SKU-004', 10);
    const wanting = (quantity: number) => aNewOrder({ lines: [{ sku: 'SKU-004', quantity }] });
    const outcomes = await store.accept([wanting(6), wanting(5), wanting(4), wanting(1)]);
    expect(kinds(outcomes)).toEqual(['accepted', 'out-of-stock', 'accepted', 'out-of-stock']);
    expect(outcomes[1]).toEqual({ kind: 'out-of-stock', faults: [{ line: 0, sku: 'SKU-004', available: 4 }] });
    expect((await stock('SKU-004')).available).toBe('0');
  });

  test('known keys, good and bad, stand beside new orders in one batch', async () => {
    const first = aNewOrder();
    const [accepted] = await store.accept([first]);
    const again = { ...first, id: uuid7() };
    const other = { ...first, id: uuid7(), fingerprint: 'another' };
    const outcomes = await store.accept([again, aNewOrder(), other]);
    expect(kinds(outcomes)).toEqual(['replayed', 'accepted', 'reused']);
    expect({ ...outcomes[0], kind: 'accepted' }).toEqual(accepted);
  });

  test('an order that was written before the connection broke is accepted, not replayed, when it is written again', async () => {
    const order = aNewOrder();
    const [first] = await store.accept([order]);
    expect(await store.accept([order])).toEqual([first]);
  });

  test('one order that the database cannot store does not take its batch along', async () => {
    const outcomes = await store.accept([aNewOrder(), aNewOrder({ customer: 'a\0b' }), aNewOrder()]);
    expect(kinds(outcomes)).toEqual(['accepted', 'failed', 'accepted']);
  });

  test('the outbox row is the message of the contract', async () => {
    const order = aNewOrder({
      lines: [{ sku: 'SKU-001', quantity: 3 }],
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    });
    await store.accept([order]);
    const [row] = await database.query<{
      body: string;
      headers: Record<string, string>;
      routing_key: string;
      mandatory: boolean;
    }>('SELECT body, headers, routing_key, mandatory FROM outbox WHERE aggregate = $1', [order.id]);
    expect(orderAccepted.schema.parse(JSON.parse(row!.body))).toEqual({
      orderId: order.id,
      documentNumber: expect.stringMatching(/^SO-2026-\d{6}$/),
      customer: 'Ada',
      phone: '+4915112345678',
      lines: [{ sku: 'SKU-001', quantity: 3 }],
      totalCents: 2970,
      acceptedAt: expect.any(String),
    });
    expect(row).toMatchObject({ routing_key: orderAccepted.routingKey, mandatory: true });
    expect(row!.headers).toMatchObject({
      'cloudEvents:id': order.id,
      'cloudEvents:type': orderAccepted.type,
      'cloudEvents:source': 'order-demo',
      traceparent: order.traceparent,
    });
  });

  test('batches written by several connections at once, with shared keys and scarce stock, sell nothing twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 40 }),
        fc.array(
          fc.array(
            fc.record({
              key: fc.integer({ min: 0, max: 30 }),
              quantity: fc.integer({ min: 1, max: 5 }),
              sku: fc.integer({ min: 2, max: 3 }),
            }),
            { minLength: 1, maxLength: 8 },
          ),
          { minLength: 1, maxLength: 6 },
        ),
        async (units, batches) => {
          const run = randomUUID();
          await Promise.all([restock('SKU-002', units), restock('SKU-003', units)]);
          const before = await Promise.all([stock('SKU-002'), stock('SKU-003')]);
          const results = await Promise.all(
            batches.map((batch) => {
              const keys = new Map(batch.map((wish) => [wish.key, wish]));
              const orders = [...keys.values()].map(({ key, quantity, sku }) => {
                const lines = [
                  { sku: `SKU-00${sku}`, quantity },
                  { sku: `SKU-00${5 - sku}`, quantity: 1 },
                ];
                return aNewOrder({ key: `${run}-${key}`, lines, fingerprint: fingerprintOf(anOrder({ lines })) });
              });
              return store
                .accept(orders)
                .then((outcomes) => orders.map((order, n) => ({ order, outcome: outcomes[n]! })));
            }),
          );
          const accepted = results.flat().filter(({ outcome }) => outcome.kind === 'accepted');
          expect(new Set(accepted.map(({ order }) => order.key)).size).toBe(accepted.length);
          for (const [index, sku] of ['SKU-002', 'SKU-003'].entries()) {
            const taken = accepted
              .flatMap(({ order }) => order.lines)
              .filter((line) => line.sku === sku)
              .reduce((sum, { quantity }) => sum + quantity, 0);
            const now = await stock(sku);
            expect(Number(now.reserved) - Number(before[index]!.reserved)).toBe(taken);
            expect(Number(now.available)).toBe(units - taken);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  test('connections that are cut in the middle cost no order and double none', async () => {
    const victim = await open();
    const cut = storeOn(victim);
    const orders = Array.from({ length: 60 }, () => aNewOrder());
    const work = Promise.all(orders.map((order) => cut.accept([order])));
    let cuts = 0;
    const cutter = setInterval(() => {
      // Not for ever: somebody has to get through between two cuts.
      if ((cuts += 1) > 20) return clearInterval(cutter);
      void database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT * FROM accept%'",
      );
    }, 5);
    const outcomes = (await work.finally(() => clearInterval(cutter))).flat();
    expect(kinds(outcomes)).toEqual(orders.map(() => 'accepted'));
    const count = 'SELECT count(*)::int AS n FROM orders WHERE id = ANY($1)';
    await eventually(
      async () => (await database.query<{ n: number }>(count, [orders.map(({ id }) => id)]))[0]!.n === 60,
    );
    await victim.close();
  });

  test('after all that the verifier finds nothing lost, doubled or below zero', async () => {
    const options = { graceMs: 60_000, deadlineMs: 60_000, payments: new RecordingPaymentProvider(database) };
    const { lost, doubled, negative } = judge(await gatherEvidence(database, options), options);
    expect({ lost, doubled, negative }).toEqual({ lost: [], doubled: [], negative: [] });
  });
});
