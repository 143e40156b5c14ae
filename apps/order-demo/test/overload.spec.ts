import { eventually, freePort, startProcess, tcpProxy, testDatabase, type TestDatabase } from '@keelson/testing';
import { join } from 'node:path';
import pg from 'pg';
import { type RoleProcess, startRole, tokensFile } from './role-process.ts';
import { anOrder, Shop } from './shop.ts';

/** Orders at the door, as its metrics say. */
async function waiting(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^order_demo_accept_waiting_orders(?:\{.*\})? (\d+)$/m.exec(text)![1]);
}

describe('role api alone, with a small door and no broker', () => {
  const tokens = tokensFile();
  let database: TestDatabase;
  let service: RoleProcess;
  let shop: Shop;
  let nobody: string;

  beforeAll(async () => {
    database = await testDatabase();
    nobody = `amqp://127.0.0.1:${await freePort()}`;
    service = await startRole({
      role: 'api',
      databaseUrl: database.url,
      amqpUrl: nobody,
      tokens: tokens.path,
      env: { ACCEPT_MAX_WAITING: '5', ACCEPT_MAX_BATCH: '2', ACCEPT_BURST_MS: '60000' },
    });
    shop = new Shop(service.url);
  });

  afterAll(async () => {
    await service?.stop();
    await database?.drop();
    tokens.remove();
  });

  test('it is ready and accepts orders though the broker was never there', async () => {
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
    expect((await shop.place()).status).toBe(202);
  });

  test('what does not fit is answered 429 with Retry-After, what was let in is kept, and a key at work is answered 409', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query('BEGIN');
    await client.query('SELECT * FROM document_series FOR UPDATE');
    // Those inside wait for the lock, so whoever is answered was refused.
    const answered = new Map<string, Awaited<ReturnType<Shop['place']>>>();
    const crowd = Array.from({ length: 20 }, (_, n) => `crowd-${n}`);
    const answers = crowd.map(async (key) => {
      const answer = await shop.place(anOrder(), { key });
      answered.set(key, answer);
      return answer.status;
    });
    // Two are being written and five wait; only one is being written where it came alone.
    await eventually(() => answered.size >= 13);
    for (const { status, body, headers } of answered.values()) {
      expect([status, body.code, headers.get('retry-after')]).toEqual([429, 'overloaded', '1']);
    }
    const inside = crowd.find((key) => !answered.has(key))!;
    const twice = await shop.place(anOrder(), { key: inside });
    expect([twice.status, twice.body.code]).toEqual([409, 'idempotency-key-in-progress']);
    expect(twice.headers.get('retry-after')).toBe('1');
    await client.query('ROLLBACK');
    await client.end();
    const statuses = await Promise.all(answers);
    expect([6, 7]).toContain(statuses.filter((status) => status === 202).length);
    expect(statuses.every((status) => status === 202 || status === 429)).toBe(true);
    const refused = crowd[statuses.indexOf(429)]!;
    expect((await shop.place(anOrder(), { key: refused })).status).toBe(202);
  });

  test('injected faults: of one version a share of orders fails by plan, the other beside it is well, a crash ends it with 1', async () => {
    const bad = await startRole({
      role: 'api',
      databaseUrl: database.url,
      amqpUrl: nobody,
      tokens: tokens.path,
      env: { APP_VERSION: 'v3', INJECT_ERROR_RATE: '0.5', INJECT_LATENCY_MS: '20', INJECT_CRASH_AFTER_SECONDS: '4' },
    });
    const client = new Shop(bad.url);
    const begun = performance.now();
    const statuses: number[] = [];
    for (let n = 0; n < 20; n += 1) statuses.push((await client.place()).status);
    for (let n = 0; n < 5; n += 1)
      expect(await shop.place()).toMatchObject({ status: 202, body: { acceptedBy: '0.1.0' } });
    expect(performance.now() - begun).toBeGreaterThan(20 * 20);
    expect(new Set(statuses)).toEqual(new Set([202, 500]));
    expect(statuses.filter((status) => status === 500).length).toBeGreaterThan(5);
    expect((await client.get('0195500a-0000-7000-8000-000000000001')).headers.get('x-app-version')).toBe('v3');
    expect(await bad.exited).toEqual({ code: 1, signal: null });
  });

  test('under standing overload the queue is one batch, everybody else is told 429 at once, and it recovers by itself', async () => {
    const proxy = await tcpProxy(database.url);
    const slow = await startRole({
      role: 'api',
      databaseUrl: proxy.url(database.url),
      amqpUrl: nobody,
      tokens: tokens.path,
      env: { ACCEPT_MAX_BATCH: '4', ACCEPT_BURST_MS: '1', OUTBOX_RELAY: 'false', APP_VERSION: 'slow' },
    });
    try {
      const client = new Shop(slow.url);
      proxy.delayAnswers(50);
      // Customers who come again at once, far more than four in 50 ms, until the door has written twenty batches.
      const tally = { accepted: 0, refused: 0, other: [] as number[], most: 0 };
      const customer = async (): Promise<void> => {
        while (tally.accepted < 80) {
          const { status, headers } = await client.place();
          if (status === 202) tally.accepted += 1;
          else if (status === 429 && headers.get('retry-after') === '1') tally.refused += 1;
          else tally.other.push(status);
          if (tally.accepted > 20) tally.most = Math.max(tally.most, await waiting(slow.url));
        }
      };
      await Promise.all(Array.from({ length: 40 }, customer));
      expect(tally.other).toEqual([]);
      expect(tally.refused).toBeGreaterThan(tally.accepted);
      // Four being written and four that wait.
      expect(tally.most).toBeLessThanOrEqual(8);
      // The database is as slow as before; only the crowd is gone.
      for (let n = 0; n < 5; n += 1) expect((await client.place()).status).toBe(202);
      expect(await waiting(slow.url)).toBe(0);
      const { body } = await client.list('?limit=200');
      expect(body.items.filter(({ acceptedBy }) => acceptedBy === 'slow').length).toBe(tally.accepted + 5);
    } finally {
      await slow.stop();
      await proxy.close();
    }
  });

  const exitOf = async (flags: string[], env: Record<string, string>) => {
    const lines: string[] = [];
    const { exited } = await startProcess({
      name: 'order-demo',
      command: [process.execPath, join(import.meta.dirname, '../dist/main.js'), ...flags],
      env: { DATABASE_URL: database.url, AMQP_URL: nobody, NODE_OPTIONS: undefined, ...env },
      onLine: (line) => lines.push(line),
    });
    return { code: (await exited).code, output: lines.join('\n') };
  };

  test('an unusable configuration ends it with 78, every fault named', async () => {
    const { code, output } = await exitOf(['--role=apis'], {
      INJECT_ERROR_RATE: '2',
      SEED_STOCK: '-1',
      APP_VERSION: 'v 1',
    });
    expect(code).toBe(78);
    for (const name of ['ROLE', 'INJECT_ERROR_RATE', 'SEED_STOCK', 'APP_VERSION']) expect(output).toContain(name);
  });

  test('an unknown flag ends it with 64 and the flags there are', async () => {
    const { code, output } = await exitOf(['--rol=api'], {});
    expect([code, output]).toEqual([64, expect.stringContaining('--role=VALUE')]);
  });
});
