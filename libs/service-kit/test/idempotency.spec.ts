import { testDatabase, type TestDatabase, eventually } from '@keelson/testing';
import pg from 'pg';
import { IDEMPOTENCY_STORE } from '../src/index.ts';
import { exampleService, type Answer, type ExampleService } from './example-service.ts';
import { StoredKeys } from './stored-keys.ts';

let database: TestDatabase;
let pool: pg.Pool;
let store: StoredKeys;
let service: ExampleService;

beforeAll(async () => {
  database = await testDatabase();
  pool = new pg.Pool({ connectionString: database.url });
  // end() does not wait for the connections, so dropping the database may cut the last ones off: no fault of a test.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  store = new StoredKeys(pool);
  await store.create();
  service = await exampleService({ providers: [{ provide: IDEMPOTENCY_STORE, useValue: store }] });
});
afterAll(async () => {
  await service.stop();
  await pool.end();
  await database.drop();
});
beforeEach(() => {
  service.control.executed = 0;
  service.control.store = undefined;
});

const add = (key: string, json: unknown, token?: string): Promise<Answer> =>
  service.call('POST', '/v1/books', { json, headers: { 'idempotency-key': key }, token: token ?? service.token });

test('the second request with a key gets the first answer, and nothing is done twice', async () => {
  const first = await add('again', { title: 'One' });
  // Other order of fields, other white space, a default written out: the same request.
  const second = await add('"again"', { tags: [], pages: 100, title: 'One' });
  expect([first.status, second.status, service.control.executed]).toEqual([201, 201, 1]);
  expect(second.text).toBe(first.text);
  expect([first, second].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([null, 'true']);
});

test('the same key with another body is refused', async () => {
  await add('other-body', { title: 'One' });
  const second = await add('other-body', { title: 'Two' });
  expect([second.status, second.json['code'], service.control.executed]).toEqual([422, 'idempotency-key-reused', 1]);
});

test('the same key of another token is another key', async () => {
  await add('shared', { title: 'One' });
  expect((await add('shared', { title: 'Two' }, 'reader-token')).status).toBe(403);
  const { rows } = await pool.query("SELECT team FROM keys WHERE key = 'shared'");
  expect(rows).toEqual([{ team: 'red/tester' }]);
});

test('while the first is at work a second one is told to wait, and gets the answer after', async () => {
  const first = add('slow', { title: 'slow' });
  await eventually(() => service.control.held.length === 1);
  const second = await add('slow', { title: 'slow' });
  expect([second.status, second.json['code'], second.headers.get('retry-after')]).toEqual([
    409,
    'idempotency-key-in-progress',
    '2',
  ]);
  service.control.release();
  expect((await first).status).toBe(201);
  expect((await add('slow', { title: 'slow' })).headers.get('idempotent-replayed')).toBe('true');
  expect(service.control.executed).toBe(1);
});

test('of twenty at once exactly one is done', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => add('burst', { title: 'Burst' })));
  expect(service.control.executed).toBe(1);
  expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThan(0);
  expect(new Set(answers.map(({ status }) => status))).toEqual(
    new Set(answers.some((a) => a.status === 409) ? [201, 409] : [201]),
  );
});

test("the caller's fault is an answer like any other and is given again", async () => {
  const first = await add('fault', { title: 'full' });
  const second = await add('fault', { title: 'full' });
  expect([second.status, second.text, service.control.executed]).toEqual([409, first.text, 1]);
  expect(second.headers.get('content-type')).toContain('application/problem+json');
});

test('our own fault is not kept: the next request tries again', async () => {
  expect((await add('crash', { title: 'crash' })).status).toBe(500);
  expect((await add('crash', { title: 'crash' })).status).toBe(500);
  expect(service.control.executed).toBe(2);
});

test('an invalid request does not use the key up', async () => {
  expect((await add('invalid', { title: '' })).status).toBe(422);
  expect((await add('invalid', { title: 'valid' })).status).toBe(201);
});

test.each(['', 'a b', 'x'.repeat(256), 'ü'.normalize('NFC')])('the key %j is refused', async (key) => {
  const answer = await add(key, { title: 'One' });
  expect([answer.status, answer.json['errors'][0].pointer]).toEqual([422, 'header/Idempotency-Key']);
});

test('an operation that does not honour keys ignores them', async () => {
  const headers = { 'idempotency-key': 'reading' };
  await service.call('GET', '/v1/books', { headers });
  const second = await service.call('GET', '/v1/books', { headers });
  expect([second.status, second.headers.get('idempotent-replayed')]).toEqual([200, null]);
});

describe('an answer that is stored in the transaction which does the work', () => {
  const titles = async (title: string): Promise<number> =>
    (await pool.query('SELECT FROM books WHERE title = $1', [title])).rowCount ?? 0;

  test('is given again though the process failed right after the commit', async () => {
    service.control.store = store;
    expect((await add('commit', { title: 'commit, then crash' })).status).toBe(500);
    const second = await add('commit', { title: 'commit, then crash' });
    expect([second.status, second.headers.get('idempotent-replayed')]).toEqual([201, 'true']);
    expect([service.control.executed, await titles('commit, then crash')]).toEqual([1, 1]);
  });

  test('is not kept where the transaction rolled back', async () => {
    service.control.store = store;
    expect((await add('rollback', { title: 'rolled back' })).status).toBe(500);
    expect((await add('rollback', { title: 'rolled back' })).status).toBe(500);
    expect([service.control.executed, await titles('rolled back')]).toEqual([2, 0]);
  });

  test('rolls the work back where another request took the key over meanwhile', async () => {
    service.control.store = store;
    const first = add('overtaken', { title: 'slow' });
    await eventually(() => service.control.held.length === 1);
    await store.forgetClaims();
    const second = add('overtaken', { title: 'slow' });
    await eventually(() => service.control.held.length === 2);
    const [goFirst, goSecond] = service.control.held.splice(0);
    goFirst!();
    expect((await first).json['code']).toBe('idempotency-key-in-progress');
    goSecond!();
    expect((await second).status).toBe(201);
    expect(await titles('slow')).toBe(1);
  });
});

test('without a store the key goes to the method, which may honour it itself', async () => {
  const bare = await exampleService();
  try {
    const call = { json: { title: 'One' }, headers: { 'idempotency-key': 'k' } };
    await bare.call('POST', '/v1/books', call);
    expect((await bare.call('POST', '/v1/books', call)).headers.get('idempotent-replayed')).toBeNull();
    expect(bare.control.executed).toBe(2);
  } finally {
    await bare.stop();
  }
});
