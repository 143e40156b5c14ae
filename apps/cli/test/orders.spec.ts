import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../src/run-cli.ts';

/** Answers as order-demo does, with what each test wants of it; the service itself is tried in tools/faults. */
let server: Server;
let url: string;
let folder: string;
/** Keys as they came, and the order that each got. */
let placed: Map<string, string>;
let keys: string[];
/** What an attempt is answered instead of 202: [status, code, headers]. */
let refuse: (key: string, attempt: number) => { status: number; code: string; retryAfter?: string } | undefined;
let known: (id: string) => boolean;
let verdict: object;
/** Whether ?mode=sync is answered 201. */
let done: boolean;

const sound = { lost: [], doubled: [], stuck: [], negative: [], ok: true };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keelson-cli-orders-'));
  placed = new Map();
  keys = [];
  refuse = () => undefined;
  known = (id) => [...placed.values()].includes(id);
  verdict = sound;
  done = false;
  server = createServer((request, response) => {
    request.resume().on('end', () => {
      const answer = (status: number, body: object, headers: Record<string, string> = {}): void =>
        void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
      const path = request.url!.split('?')[0]!;
      if (path === '/v1/stock')
        return answer(200, { items: [{ sku: 'SKU-001', available: 1, reserved: 0, sold: 0, priceCents: 1 }] });
      if (path === '/v1/verification')
        return answer(200, { accepted: placed.size, confirmed: placed.size, compensated: 0, ...verdict });
      if (request.method === 'GET') {
        const id = path.split('/').at(-1)!;
        return known(id) ? answer(200, anOrder(id)) : answer(404, problem(404, 'not-found'));
      }
      const key = String(request.headers['idempotency-key']);
      keys.push(key);
      const refusal = refuse(key, keys.filter((one) => one === key).length);
      if (refusal)
        return answer(
          refusal.status,
          problem(refusal.status, refusal.code),
          refusal.retryAfter === undefined ? {} : { 'retry-after': refusal.retryAfter },
        );
      const again = placed.has(key);
      placed.set(key, placed.get(key) ?? randomUUID());
      const status = done && request.url!.endsWith('?mode=sync') ? 201 : 202;
      return answer(status, anOrder(placed.get(key)!), again ? { 'idempotent-replayed': 'true' } : {});
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const problem = (status: number, code: string) => ({
  type: `https://keelson.dev/problems/${code}`,
  title: code,
  status,
  code,
});
const anOrder = (id: string) => ({
  id,
  documentNumber: 'SO-2026-000001',
  status: 'confirmed',
  customer: 'Ada',
  lines: [{ sku: 'SKU-001', quantity: 1 }],
  totalCents: 1,
  acceptedAt: '2026-03-01T12:00:00Z',
  acceptedBy: 'v1',
  history: [],
});

async function keelson(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCli(argv, {
    environment: { KEELSON_ORDERS_URL: url, KEELSON_TOKEN: 'secret-token-1234' },
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

describe('orders load', () => {
  const tenOrders = ['orders', 'load', '--rate=20', '--for=1s', '-o', 'json'];

  test('sends each order once with a key of its own, and gives counts and percentiles as JSON', async () => {
    const { code, out } = await keelson(...tenOrders);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      sent: 20,
      accepted: 20,
      failed: 0,
      statuses: { 202: 20 },
      latencyMs: {
        min: expect.any(Number),
        p50: expect.any(Number),
        p999: expect.any(Number),
        max: expect.any(Number),
      },
    });
    expect(new Set(keys).size).toBe(20);
  });

  test('--mode=sync asks for each order to be done, and takes 201 for accepted', async () => {
    done = true;
    const { code, out } = await keelson(...tenOrders, '--mode=sync');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ accepted: 20, failed: 0, statuses: { 201: 20 } });
  });

  test('duplicates come with the same key', async () => {
    const { code, out } = await keelson(...tenOrders, '--duplicate=1');
    expect(code).toBe(0);
    const result = JSON.parse(out) as { sent: number; replayed: number };
    expect([result.sent, result.replayed]).toEqual([40, 20]);
    expect([keys.length, new Set(keys).size]).toEqual([40, 20]);
  });

  test('429 is counted and not sent again, unless asked for; a key in use is no failure', async () => {
    refuse = (_key, attempt) => (attempt === 1 ? { status: 429, code: 'overloaded', retryAfter: '1' } : undefined);
    const once = await keelson(...tenOrders);
    expect(once.code).toBe(0);
    expect(JSON.parse(once.out)).toMatchObject({ accepted: 0, refused: 20, statuses: { 429: 20 } });
    const again = await keelson(...tenOrders, '--retry=429');
    expect(JSON.parse(again.out)).toMatchObject({ accepted: 20, refused: 0, retries: 20, statuses: { 202: 20 } });
    refuse = () => ({ status: 409, code: 'idempotency-key-in-progress' });
    const busy = await keelson(...tenOrders);
    expect(busy.code).toBe(0);
    expect(JSON.parse(busy.out)).toMatchObject({ accepted: 0, inProgress: 20, failed: 0 });
  });

  test('--retry=all insists through a failing service; without it the failures are the exit code', async () => {
    refuse = (_key, attempt) => (attempt <= 2 ? { status: 503, code: 'unavailable' } : undefined);
    const insisting = await keelson(...tenOrders, '--retry=all');
    expect(insisting.code).toBe(0);
    expect(JSON.parse(insisting.out)).toMatchObject({ accepted: 20, failed: 0, retries: 40 });
    const plain = await keelson(...tenOrders);
    expect(plain).toMatchObject({ code: 1, err: expect.stringContaining('20 of 20 requests failed (503: 20)') });
  });

  test('--verify looks every accepted id up and is one document with the verdict', async () => {
    const good = await keelson(...tenOrders, '--verify');
    expect(good.code).toBe(0);
    expect(JSON.parse(good.out)).toMatchObject({ accepted: 20, verdict: { ok: true, accepted: 20 } });
    known = () => false;
    const bad = await keelson('orders', 'load', '--rate=1', '--for=1s', '--verify');
    expect(bad.code).toBe(1);
    expect(bad.out).toContain('it was answered as accepted, but there is no such order');
  });

  test('--ids-file holds each id that was answered 202, and verify --expect-file looks them up', async () => {
    const file = join(folder, 'ids');
    await keelson(...tenOrders, `--ids-file=${file}`);
    const ids = readFileSync(file, 'utf8').trim().split('\n');
    expect(ids.toSorted()).toEqual([...placed.values()].toSorted());
    expect(await keelson('orders', 'verify', `--expect-file=${file}`)).toMatchObject({
      code: 0,
      out: expect.stringContaining('20 expected ids looked up'),
    });
    known = (id) => id !== ids[3];
    const { code, out } = await keelson('orders', 'verify', `--expect-file=${file}`);
    expect(code).toBe(1);
    expect(out).toContain(`lost      ${ids[3]}  it was answered as accepted, but there is no such order`);
    expect(out).not.toContain(ids[4]);
  });

  test('on a terminal its progress is one line that is renewed', async () => {
    let err = '';
    const done = runCli(['orders', 'load', '--rate=1', '--for=3s'], {
      environment: { KEELSON_ORDERS_URL: url, KEELSON_TOKEN: 'secret-token-1234' },
      out: () => undefined,
      err: (text) => void (err += text),
      signal: new AbortController().signal,
      terminalColumns: 60,
    });
    expect(await done).toBe(0);
    expect(err.split('\r\u001b[2K').length).toBeGreaterThan(2);
    expect(err).not.toContain('\n');
    for (const line of err.split('\r\u001b[2K')) expect(line.length).toBeLessThan(60);
  });

  const faults = [
    { args: ['--rate=0'], says: 'expected a number above 0' },
    { args: ['--duplicate=1.5'], says: 'expected a share from 0 to 1' },
    { args: ['--reorder='], says: 'expected a share from 0 to 1' },
    { args: ['--profile=saw'], says: 'steady, ramp, spike' },
    { args: ['--connections=0'], says: '1 and more' },
    { args: ['--ids-file=/nowhere/ids'], says: '/nowhere/ids cannot be written' },
  ];
  test.each(faults)('refuses $args with what is allowed', async ({ args, says }) => {
    expect(await keelson('orders', 'load', ...args)).toMatchObject({ code: 2, err: expect.stringContaining(says) });
    expect(keys).toEqual([]);
  });
});

describe('orders verify', () => {
  test('prints each finding with its reason, clean for a terminal', async () => {
    verdict = {
      ...sound,
      lost: ['order-1'],
      negative: ['SKU-001'],
      ok: false,
      findings: [
        { kind: 'lost', id: 'order-1', reason: 'its number was given out, but no order has it' },
        { kind: 'negative', id: 'SKU-001', reason: 'available is -1' },
        { kind: 'negative', id: 'SKU-001', reason: 'reserved is 3,\u001b[2J open orders hold 2' },
      ],
    };
    const { code, out, err } = await keelson('orders', 'verify');
    expect(code).toBe(1);
    expect(err).toContain('2 faults');
    expect(out).toBe(
      [
        '0 accepted, 0 confirmed, 0 compensated; 1 lost, 0 doubled, 0 stuck, 1 negative',
        '  lost      order-1  its number was given out, but no order has it',
        '  negative  SKU-001  available is -1',
        '  negative  SKU-001  reserved is 3, [2J open orders hold 2',
        '',
      ].join('\n'),
    );
  });

  test('refuses a file that is not there, and a line that is no id', async () => {
    expect(await keelson('orders', 'verify', '--expect-file=/nowhere')).toMatchObject({
      code: 2,
      err: expect.stringContaining('there is no /nowhere'),
    });
    const file = join(folder, 'ids');
    writeFileSync(file, `${randomUUID()}\nnone\n`);
    expect(await keelson('orders', 'verify', '--expect-file', file)).toMatchObject({
      code: 2,
      err: expect.stringContaining(`${file}:2: expected the id of an order`),
    });
  });
});
