import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  certificatesApi,
  ContractError,
  createClient,
  eventsApi,
  NoAnswerError,
  ordersApi,
  paginate,
  ProblemError,
} from '../src/index.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let server: Server;
let baseUrl: string;
let seen: Seen[] = [];
let answers: Array<(response: ServerResponse) => void> = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      seen.push({ method: request.method!, url: request.url!, headers: request.headers, body });
      // The last answer stands for all that follow.
      (answers.length > 1 ? answers.shift()! : answers[0]!)(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  seen = [];
  answers = [];
});

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
const problem = (status: number, code: string, headers: Record<string, string> = {}) =>
  json(status, { type: `https://keelson.dev/problems/${code}`, title: code, status, code, traceId: 'ab' }, headers);

const order = {
  id: '019a0000-0000-7000-8000-000000000001',
  documentNumber: 'SO-2026-000001',
  status: 'accepted',
  customer: 'c1',
  lines: [],
  totalCents: 100,
  acceptedAt: '2026-01-01T00:00:00.000Z',
  acceptedBy: 'v1',
  history: [],
};
const body = { customer: 'c1', phone: '+4930123456', lines: [{ sku: 'a', quantity: 1 }] };
const fast = { firstDelayMs: 1, maxDelayMs: 2_000 };
const orders = (options = {}) => createClient(ordersApi, { baseUrl, token: 'secret', retry: fast, ...options });

test('sends method, path, query, token and body as the contract says', async () => {
  answers = [json(202, order)];
  await orders().placeOrder({ body, idempotencyKey: 'k1' });
  expect(seen[0]).toMatchObject({ method: 'POST', url: '/v1/orders' });
  expect(seen[0]?.headers).toMatchObject({
    authorization: 'Bearer secret',
    'content-type': 'application/json',
    'idempotency-key': 'k1',
    accept: 'application/json, application/problem+json',
  });
  expect(JSON.parse(seen[0]!.body)).toEqual(body);

  answers = [json(200, { items: [] })];
  await orders({ baseUrl: `${baseUrl}/` }).listOrders({ query: { customer: 'a b&c', limit: 2 } });
  expect(seen[1]?.url).toBe('/v1/orders?customer=a+b%26c&limit=2');
});

test('a parameter cannot leave its place in the path', async () => {
  answers = [json(200, order)];
  await orders().getOrder({ params: { id: '../stock?x=1' } });
  expect(seen[0]?.url).toBe('/v1/orders/..%2Fstock%3Fx%3D1');
  await expect(orders().getOrder({ params: { id: '' } })).rejects.toThrow('needs the parameter "id"');
});

test('a problem becomes an error with its code, its status and its faults', async () => {
  answers = [
    json(422, {
      type: 'https://keelson.dev/problems/invalid-request',
      title: 'The request breaks the contract',
      status: 422,
      code: 'invalid-request',
      errors: [{ pointer: '/lines/0/sku', detail: 'is missing' }],
    }),
  ];
  const error = await orders()
    .placeOrder({ body })
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ProblemError);
  expect(error).toMatchObject({ code: 'invalid-request', status: 422, operation: `POST ${baseUrl}/v1/orders` });
  expect((error as Error).message).toBe('The request breaks the contract: /lines/0/sku is missing');
  expect(seen).toHaveLength(1);
});

test("an answer of something between, such as a proxy's page, is a problem as well", async () => {
  answers = [(response) => void response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>')];
  await expect(orders().listOrders()).rejects.toMatchObject({ status: 502, code: 'unknown' });
});

test.each([
  ['another shape', json(200, { items: [{ id: 'x' }] })],
  ['no JSON', (response: ServerResponse) => void response.writeHead(200).end('hello')],
  ['another status', json(201, { items: [] })],
])('an answer outside of the contract (%s) is refused', async (_, answer) => {
  answers = [answer];
  await expect(orders().listOrders()).rejects.toBeInstanceOf(ContractError);
});

test('fields that a later version of the service adds are left out, not refused', async () => {
  answers = [json(200, { items: [{ ...order, color: 'red' }], total: 1 })];
  expect(await orders().listOrders()).toEqual({ items: [order] });
});

describe('retries', () => {
  test('repeats on 503 and 429 with the same Idempotency-Key, made up where none was given', async () => {
    answers = [problem(503, 'unavailable'), problem(429, 'rate-limited'), json(202, order)];
    await orders().placeOrder({ body });
    const keys = seen.map(({ headers }) => headers['idempotency-key']);
    expect(keys[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(keys).size).toBe(1);
    expect(keys).toHaveLength(3);
  });

  test('waits as long as Retry-After says', async () => {
    answers = [problem(429, 'rate-limited', { 'retry-after': '1' }), json(200, { items: [] })];
    const from = performance.now();
    await orders().listOrders();
    expect(performance.now() - from).toBeGreaterThan(950);
  });

  test('gives the error back where Retry-After asks for too long, and after the last attempt', async () => {
    answers = [problem(503, 'unavailable', { 'retry-after': '3600' })];
    await expect(orders().listOrders()).rejects.toMatchObject({ status: 503, retryAfterMs: 3_600_000 });
    expect(seen).toHaveLength(1);
    answers = [problem(503, 'unavailable')];
    await expect(orders().listOrders()).rejects.toBeInstanceOf(ProblemError);
    expect(seen).toHaveLength(4);
  });

  test('does not repeat what the caller did wrong, nor a write without a key', async () => {
    answers = [problem(404, 'not-found')];
    await expect(orders().getOrder({ params: { id: order.id } })).rejects.toMatchObject({ code: 'not-found' });
    answers = [problem(503, 'unavailable')];
    const events = createClient(eventsApi, { baseUrl, retry: fast });
    await expect(events.redriveDeadLetter({ params: { id: order.id } })).rejects.toMatchObject({ status: 503 });
    expect(seen).toHaveLength(2);
  });

  test('repeats where no answer came at all', async () => {
    answers = [(response) => response.destroy(), json(200, { items: [] })];
    expect(await orders().listOrders()).toEqual({ items: [] });
  });

  test('stops when its caller gives up', async () => {
    answers = [problem(503, 'unavailable', { 'retry-after': '2' })];
    const stop = new AbortController();
    const call = orders().listOrders({ signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await expect(call).rejects.toThrow('enough');
    expect(seen).toHaveLength(1);
  });
});

test('a service that is not there is named with the reason', async () => {
  const gone = createClient(ordersApi, { baseUrl: 'http://127.0.0.1:1', retry: { attempts: 1 } });
  await expect(gone.listOrders()).rejects.toThrow(/^GET http:\/\/127\.0\.0\.1:1\/v1\/orders: /);
  await expect(gone.listOrders()).rejects.toBeInstanceOf(NoAnswerError);
});

test('an answer that takes too long is no answer', async () => {
  answers = [() => undefined];
  const client = orders({ timeoutMs: 50, retry: { attempts: 1 } });
  await expect(client.listOrders()).rejects.toThrow('no answer within 50 ms');
});

test('bytes come as bytes', async () => {
  answers = [
    (response) => void response.writeHead(200, { 'content-type': 'application/pkix-crl' }).end(Buffer.from([1, 0xff])),
  ];
  expect(await createClient(certificatesApi, { baseUrl }).getCrl()).toEqual(new Uint8Array([1, 0xff]));
});

describe('pages', () => {
  test('are followed to the last one, with the other parameters kept', async () => {
    answers = [
      json(200, { items: [order], next: 'c2' }),
      json(200, { items: [order], next: 'c3' }),
      json(200, { items: [] }),
    ];
    const rows: unknown[] = [];
    for await (const row of paginate(orders().listOrders, { query: { status: 'accepted' } })) rows.push(row);
    expect(rows).toEqual([order, order]);
    expect(seen.map(({ url }) => url)).toEqual([
      '/v1/orders?status=accepted',
      '/v1/orders?status=accepted&cursor=c2',
      '/v1/orders?status=accepted&cursor=c3',
    ]);
  });

  test('are fetched only as far as they are wanted', async () => {
    answers = [json(200, { items: [order, order], next: 'c2' })];
    for await (const _ of paginate(orders().listOrders)) break;
    expect(seen).toHaveLength(1);
  });

  test('that lead back to themselves are an error, not a program that never ends', async () => {
    answers = [json(200, { items: [], next: 'same' })];
    const all = async (): Promise<void> => {
      for await (const _ of paginate(orders().listOrders)) break;
    };
    await expect(all()).rejects.toThrow('cursor same came back');
  });
});
