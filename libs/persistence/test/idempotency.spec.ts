import { testDatabase, type TestDatabase } from '@keelson/testing';
import { Database, idempotencyMigrations, PostgresIdempotencyStore } from '../src/index.ts';

describe('the idempotency store', () => {
  let place: TestDatabase;
  let database: Database;
  const scope = { key: 'k', team: 'shop', operation: 'POST /v1/orders' };

  beforeEach(async () => {
    place = await testDatabase();
    database = await Database.open({ url: place.url, name: 'test', migrations: idempotencyMigrations });
  });
  afterEach(async () => {
    await database.close();
    await place.drop();
  });

  const begun = async (store: PostgresIdempotencyStore) => {
    const result = await store.begin(scope, 'f');
    if (result.kind !== 'begun') throw new Error(`not begun: ${result.kind}`);
    return result.claim;
  };

  test('lets one of many concurrent requests with the same key begin', async () => {
    const store = new PostgresIdempotencyStore(database);
    const results = await Promise.all(Array.from({ length: 20 }, () => store.begin(scope, 'f')));
    expect(results.filter((result) => result.kind === 'begun')).toHaveLength(1);
    expect(results.filter((result) => result.kind === 'in-progress')).toHaveLength(19);
  });

  test('gives the first answer again, and says when the key came with another request', async () => {
    const store = new PostgresIdempotencyStore(database);
    const claim = await begun(store);
    expect(await store.finish(scope, claim, { status: 202, body: '{"id":1}' })).toBe(true);
    expect(await store.begin(scope, 'f')).toEqual({ kind: 'replay', answer: { status: 202, body: '{"id":1}' } });
    expect(await store.begin(scope, 'other')).toEqual({ kind: 'reused' });
    expect(await store.begin({ ...scope, team: 'other' }, 'f')).toMatchObject({ kind: 'begun' });
  });

  test('keeps no answer of a transaction that rolled back', async () => {
    const store = new PostgresIdempotencyStore(database);
    const claim = await begun(store);
    await database
      .transaction(async (tx) => {
        await store.finish(scope, claim, { status: 202, body: '' }, tx);
        throw new Error('no');
      })
      .catch(() => undefined);
    expect(await store.begin(scope, 'f')).toMatchObject({ kind: 'in-progress' });
    await store.abandon(scope, claim);
    expect(await store.begin(scope, 'f')).toMatchObject({ kind: 'begun' });
  });

  test('lets another request take over when the first one died, and refuses the late answer of the dead one', async () => {
    const store = new PostgresIdempotencyStore(database, { claimSeconds: 0 });
    const late = await begun(store);
    const claim = await begun(store);
    expect(await store.finish(scope, late, { status: 202, body: 'late' })).toBe(false);
    expect(await store.finish(scope, claim, { status: 202, body: 'mine' })).toBe(true);
  });
});
