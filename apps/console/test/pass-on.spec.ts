import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Endpoint, problemSchema } from '@keelson/contracts';
import { eventually } from '@keelson/testing';
import { SERVICE_KEYS, SERVICES } from '../src/services.ts';
import { type Stage, stage } from './running.ts';
import { json } from './upstream.ts';

const operations = SERVICE_KEYS.flatMap((key) =>
  Object.entries<Endpoint>(SERVICES[key].api.endpoints).map(([name, endpoint]) => ({ key, name, ...endpoint })),
);
const filled = (path: string): string => path.replaceAll(/\{[^}]+\}/g, 'a-1');
const problemOf = async (answer: Response) => problemSchema.parse(await answer.json());

describe('what goes to the services', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage();
  });
  afterAll(() => on.stop());

  test.each(operations)('$key: $name', async ({ key, method, path, status }) => {
    const upstream = on.upstreams[key];
    upstream.answer((response) => (status === 204 ? void response.writeHead(204).end() : json(response, status, {})));
    const before = upstream.arrived.length;
    const answer = await on.call(`/api/${key}${filled(path)}?limit=7`, { method });
    expect(answer.status).toBe(status);
    await answer.arrayBuffer();
    expect(upstream.arrived.slice(before)).toMatchObject([{ method, url: `${filled(path)}?limit=7` }]);
  });

  test('every service is asked who a token is', async () => {
    for (const key of SERVICE_KEYS) {
      on.upstreams[key].answer((response) => json(response, 200, { service: key }));
      const answer = await on.call(`/api/${key}/v1/whoami`);
      expect(await answer.json()).toEqual({ service: key });
    }
  });

  test('the token, the media types and the key of the request go on; what a browser adds by itself does not', async () => {
    on.upstreams.orders.answer((response) => json(response, 202, {}));
    const answer = await on.call('/api/orders/v1/orders', {
      method: 'POST',
      headers: {
        authorization: 'Bearer hunter2',
        accept: 'application/json',
        'content-type': 'application/json',
        'idempotency-key': 'k-1',
        cookie: 'session=1',
        'x-forwarded-host': 'evil.example',
        'x-secret': '1',
      },
      body: '{ "customer": "ä" }',
    });
    expect(answer.status).toBe(202);
    await answer.arrayBuffer();
    const { headers, body } = on.upstreams.orders.arrived.at(-1)!;
    expect(body).toBe('{ "customer": "ä" }');
    expect(headers).toMatchObject({
      authorization: 'Bearer hunter2',
      accept: 'application/json',
      'content-type': 'application/json',
      'idempotency-key': 'k-1',
      host: new URL(on.upstreams.orders.url).host,
    });
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['cookie']));
    expect(headers).not.toHaveProperty('x-forwarded-host');
    expect(headers).not.toHaveProperty('x-secret');
  });

  test('the trace of the caller goes on, and one begins where there is none', async () => {
    on.upstreams.events.answer((response) => json(response, 200, { items: [] }));
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const traced = await on.call('/api/events/v1/events', {
      headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
    });
    await traced.arrayBuffer();
    expect(on.upstreams.events.arrived.at(-1)!.headers['traceparent']).toMatch(new RegExp(`^00-${trace}-`));
    expect(traced.headers.get('x-request-id')).toBe(trace);
    const fresh = await on.call('/api/events/v1/events');
    await fresh.arrayBuffer();
    const begun = String(on.upstreams.events.arrived.at(-1)!.headers['traceparent']);
    expect(begun.split('-')[1]).toBe(fresh.headers.get('x-request-id'));
  });

  test('what a parameter holds stays in its segment', async () => {
    const { canaries } = on.upstreams;
    canaries.answer((response) => json(response, 200, {}));
    await (await on.call('/api/canaries/v1/canaries/a%2F..%2F..%2Fadmin/b%3Fx%3D1')).arrayBuffer();
    expect(canaries.arrived.at(-1)!.url).toBe('/v1/canaries/a%2F..%2F..%2Fadmin/b%3Fx%3D1');
  });

  test.each(['%2e%2e/b', '%2e%2E/b', 'a/%2e', '../b', 'a/.'])('the parameters %s lead nowhere', async (parameters) => {
    const before = on.upstreams.canaries.arrived.length;
    const answer = await sendRaw(on.url, `GET /api/canaries/v1/canaries/${parameters} HTTP/1.1`);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(on.upstreams.canaries.arrived).toHaveLength(before);
  });

  test.each([
    ['GET', '/api/events/v1/nothing', 404, 'no-such-path'],
    ['GET', '/api/events/healthz', 404, 'no-such-path'],
    ['GET', '/api/events/metrics', 404, 'no-such-path'],
    ['GET', '/api/elsewhere/v1/events', 404, 'no-such-path'],
    ['GET', '/api/events/../../v1/events', 404, 'no-such-path'],
    ['DELETE', '/api/events/v1/events', 405, 'method-not-allowed'],
    ['PUT', '/api/orders/v1/orders', 405, 'method-not-allowed'],
  ])('%s %s is not passed on', async (method, path, status, code) => {
    const before = SERVICE_KEYS.map((key) => on.upstreams[key].arrived.length);
    const answer = await sendRaw(on.url, `${method} ${path} HTTP/1.1`);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toContain(`"code":"${code}"`);
    expect(SERVICE_KEYS.map((key) => on.upstreams[key].arrived.length)).toEqual(before);
  });

  test('neither the Host nor an absolute address in the request changes where it goes', async () => {
    on.upstreams.events.answer((response) => json(response, 200, { from: 'event-relay' }));
    const before = on.upstreams.events.arrived.length;
    const answer = await sendRaw(on.url, 'GET /api/events/v1/events?u=http://evil.example HTTP/1.1', 'evil.example:80');
    expect(answer).toContain('event-relay');
    expect(on.upstreams.events.arrived[before]!.url).toBe('/v1/events?u=http://evil.example');
    const absolute = await sendRaw(on.url, 'GET http://evil.example/api/events/v1/events HTTP/1.1');
    expect(absolute).not.toContain('evil.example\r\n');
    for (const { headers } of on.upstreams.events.arrived.slice(before))
      expect(headers.host).toBe(new URL(on.upstreams.events.url).host);
  });
});

describe('what comes back', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage({ REQUEST_TIME_LIMIT_MS: 400, BODY_LIMIT_BYTES: 1_000 });
  });
  afterAll(() => on.stop());

  test('a problem comes as the service sent it, without what is between the service and us', async () => {
    const problem = { type: 'x', title: 'Too much', status: 429, code: 'rate-limited' };
    on.upstreams.orders.answer((response) =>
      json(response, 429, problem, {
        'content-type': 'application/problem+json',
        'retry-after': '3',
        'set-cookie': 'a=1',
        server: 'secret/1.0',
      }),
    );
    const answer = await on.call('/api/orders/v1/orders');
    expect([answer.status, await answer.json()]).toEqual([429, problem]);
    expect(answer.headers.get('retry-after')).toBe('3');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(answer.headers.get('server')).toBeNull();
  });

  test('bytes come as they are', async () => {
    on.upstreams.certificates.answer((response) => {
      response.writeHead(200, { 'content-type': 'application/pkix-crl' });
      response.end(Buffer.from([0x30, 0x00, 0xff]));
    });
    const answer = await on.call('/api/certificates/v1/crl');
    expect(answer.headers.get('content-type')).toBe('application/pkix-crl');
    expect([...new Uint8Array(await answer.arrayBuffer())]).toEqual([0x30, 0x00, 0xff]);
  });

  test('a redirect is not followed: it would lead to an address that nobody configured', async () => {
    on.upstreams.events.answer((response) => void response.writeHead(302, { location: on.upstreams.orders.url }).end());
    const before = on.upstreams.orders.arrived.length;
    const answer = await on.call('/api/events/v1/events');
    expect(answer.status).toBe(503);
    expect(await problemOf(answer)).toMatchObject({
      code: 'unavailable',
      detail: expect.stringContaining('event-relay'),
    });
    expect(on.upstreams.orders.arrived).toHaveLength(before);
  });

  test('a service that does not answer in time is named', async () => {
    on.upstreams.canaries.answer(() => undefined);
    const answer = await on.call('/api/canaries/v1/canaries/a/b/abort', { method: 'POST' });
    expect(answer.status).toBe(503);
    expect(await problemOf(answer)).toMatchObject({
      code: 'timed-out',
      detail: 'canary-controller gave no answer: it did not answer within 0.4 s. Whether it took effect is not known.',
    });
  });

  test('a service that breaks off is named, and so is one that is away; no address is told', async () => {
    on.upstreams.events.answer((response) => void response.destroy());
    const broken = await on.call('/api/events/v1/events');
    expect(await problemOf(broken)).toMatchObject({
      status: 503,
      code: 'unavailable',
      detail: 'event-relay gave no answer: it closed the connection.',
    });
    const { port } = new URL(on.upstreams.certificates.url);
    await on.upstreams.certificates.stop();
    const away = await on.call('/api/certificates/v1/certificates');
    const body = await away.text();
    expect(problemSchema.parse(JSON.parse(body)).detail).toMatch(
      /^cert-service gave no answer: it refuses connections/,
    );
    expect(away.headers.get('retry-after')).toBe('1');
    expect(body).not.toContain(port);
  });

  test('an answer that breaks off in the middle is broken off, not passed for a whole one', async () => {
    on.upstreams.events.answer((response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"items":');
      setImmediate(() => response.destroy());
    });
    const reading = on.call('/api/events/v1/events').then((answer) => answer.text());
    await expect(reading).rejects.toThrow('terminated');
  });

  test('a body that is too large is refused before the service is troubled', async () => {
    const before = on.upstreams.orders.arrived.length;
    const answer = await on.call('/api/orders/v1/orders', { method: 'POST', body: 'x'.repeat(1_001) });
    expect(await problemOf(answer)).toMatchObject({ status: 413, code: 'body-too-large' });
    expect(on.upstreams.orders.arrived).toHaveLength(before);
  });

  test('when the browser leaves, the service is told', async () => {
    on.upstreams.orders.answer(() => undefined);
    const before = on.upstreams.orders.arrived.length;
    const leave = new AbortController();
    const call = on.call('/api/orders/v1/verification', { signal: leave.signal });
    await eventually(() => on.upstreams.orders.arrived.length > before, { describe: 'the request at the service' });
    leave.abort();
    await expect(call).rejects.toThrow('aborted');
    await on.upstreams.orders.arrived.at(-1)!.left;
  });
});

test('too many requests from one address are refused, and the rest of the page goes on', async () => {
  const on = await stage({ RATE_LIMIT_PER_SECOND: 3 });
  try {
    const answers = await Promise.all(Array.from({ length: 12 }, () => on.call('/api/events/v1/events')));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(await problemOf(refused[0]!)).toMatchObject({ code: 'rate-limited' });
    expect(refused[0]!.headers.get('retry-after')).toBe('1');
    expect((await on.call('/')).status).toBe(200);
    expect((await on.call('/healthz')).status).toBe(200);
  } finally {
    await on.stop();
  }
});

/** fetch tidies addresses up before they are sent; this does not. */
async function sendRaw(url: string, line: string, host = new URL(url).host): Promise<string> {
  const socket = createConnection({ port: Number(new URL(url).port), host: '127.0.0.1' });
  socket.write(`${line}\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
  return await text(socket);
}
