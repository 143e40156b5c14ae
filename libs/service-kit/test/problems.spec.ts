import { connect } from 'node:net';
import { problemSchema } from '@keelson/contracts';
import { eventually } from '@keelson/testing';
import { exampleService, type Answer, type ExampleService } from './example-service.ts';

let service: ExampleService;
beforeAll(async () => {
  service = await exampleService({ environment: { BODY_LIMIT_BYTES: '1000', REQUEST_TIME_LIMIT_MS: '400' } });
});
afterAll(() => service.stop());

const expectProblem = (answer: Answer, status: number, code: string): void => {
  expect([answer.status, answer.json['code'], answer.json['status']]).toEqual([status, code, status]);
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(answer.json['type']).toBe(`https://keelson.dev/problems/${code}`);
  problemSchema.parse(answer.json);
  expect(answer.json['traceId']).toMatch(/^[0-9a-f]{32}$/);
  expect(answer.headers.get('x-request-id')).toBe(answer.json['traceId']);
};

test('a path that nobody serves is no-such-path', async () => {
  expectProblem(await service.call('GET', '/v1/nothing'), 404, 'no-such-path');
});

test('a known path with another method says which methods there are', async () => {
  const answer = await service.call('PUT', '/v1/books');
  expectProblem(answer, 405, 'method-not-allowed');
  expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(['GET', 'HEAD', 'POST']);
});

test.each([
  ['/v1/books/%ff', 400, 'malformed-request'],
  [`/v1/books/${'x'.repeat(600)}`, 414, 'uri-too-long'],
])('the path %s is refused', async (path, status, code) => {
  expectProblem(await service.call('GET', path), status, code);
});

test('broken JSON is pointed to by byte, not by character', async () => {
  const answer = await service.call('POST', '/v1/books', {
    body: '{"title":"Bücher",}',
    headers: { 'content-type': 'application/json' },
  });
  expectProblem(answer, 400, 'malformed-json');
  expect(answer.json['detail']).toBe('At byte 19: unexpected "}".');
});

test.each([
  ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ['a key that would poison prototypes', '{"__proto__":{"admin":true}}'],
  ['the same key in disguise', '{"__pr\\u006fto__":1}'],
])('%s are refused', async (_, body) => {
  const answer = await service.call('POST', '/v1/books', { body, headers: { 'content-type': 'application/json' } });
  expectProblem(answer, 400, 'malformed-json');
});

test('a body above the limit is refused with the limit', async () => {
  const answer = await service.call('POST', '/v1/books', { json: { title: 'x'.repeat(2_000) } });
  expectProblem(answer, 413, 'body-too-large');
  expect(answer.json['detail']).toContain('1000 bytes');
});

test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
  'a body of type %s is refused',
  async (type) => {
    expectProblem(
      await service.call('POST', '/v1/books', { body: 'a=b', headers: { 'content-type': type } }),
      415,
      'unsupported-media-type',
    );
  },
);

test('a type that only another operation reads is refused as well, and the right one is named', async () => {
  const answer = await service.call('POST', '/v1/upload', { json: {} });
  expectProblem(answer, 415, 'unsupported-media-type');
  expect(answer.json['detail']).toBe('Send "content-type: application/pkcs10".');
});

test('the type of an empty body does not matter', async () => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' };
  const path = '/v1/books/019a0000-0000-7000-8000-000000000001';
  expect((await service.call('DELETE', path, { headers, body: '' })).status).toBe(204);
});

test('every fault of a request is listed with its pointer', async () => {
  const answer = await service.call('POST', '/v1/books', {
    json: { title: '', pages: 1.5, tags: [{ name: 'a' }, { nam: 'b' }], 'a/b~c': 1 },
  });
  expectProblem(answer, 422, 'invalid-request');
  const pointers = (answer.json['errors'] as { pointer: string }[]).map(({ pointer }) => pointer).sort();
  expect(pointers).toEqual(['/a~1b~0c', '/pages', '/tags/1/nam', '/tags/1/name', '/title']);
});

test('U+0000 is refused before it reaches a database, which could not take it', async () => {
  const answer = await service.call('GET', '/v1/books?mode=a%00b');
  expectProblem(answer, 422, 'invalid-request');
  expect(answer.json['errors']).toEqual([
    { pointer: 'query/mode', detail: 'has the character U+0000, which nothing here has' },
  ]);
});

test('faults in path and query are told apart from those in the body', async () => {
  expect((await service.call('GET', '/v1/books/7')).json['errors']).toEqual([
    { pointer: 'path/id', detail: 'is "7"; Invalid UUID' },
  ]);
  const query = await service.call('GET', '/v1/books?limit=99&staus=open');
  expect((query.json['errors'] as { pointer: string }[]).map(({ pointer }) => pointer)).toEqual([
    'query/limit',
    'query/staus',
  ]);
});

test('a missing body is a fault of the root', async () => {
  const answer = await service.call('POST', '/v1/books');
  expectProblem(answer, 422, 'invalid-request');
  expect(answer.json['errors'][0].pointer).toBe('');
});

test("a service's own problem has its status, its title and its detail", async () => {
  const answer = await service.call('POST', '/v1/books', { json: { title: 'full' } });
  expectProblem(answer, 409, 'shelf-full');
  expect(answer.json).toMatchObject({ title: 'The shelf is full', detail: 'There is room for 3.' });
});

test('what went wrong inside never leaves the service', async () => {
  const answer = await service.call('POST', '/v1/books', { json: { title: 'crash' } });
  expectProblem(answer, 500, 'internal');
  expect(answer.text).not.toContain('hunter2');
  expect(answer.text).not.toContain('.ts');
});

test('a response that breaks the contract is our fault, not a surprise for the client', async () => {
  const answer = await service.call('GET', '/v1/books?mode=wrong');
  expectProblem(answer, 500, 'internal');
  expect(answer.text).not.toContain('not a uuid');
});

test('an operation that takes too long is cut off, is told so, and the caller hears it may have taken effect', async () => {
  const answer = await service.call('GET', '/v1/books?mode=slow');
  expectProblem(answer, 503, 'timed-out');
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(service.control.aborted).toBe(1);
  service.control.release();
});

test('an operation whose client goes away is told so', async () => {
  // With the usual time limit, so that nothing else can be what it is told.
  const patient = await exampleService();
  const { control } = patient;
  try {
    const leaving = new AbortController();
    const headers = { authorization: `Bearer ${patient.token}` };
    const answer = fetch(`${patient.url}/v1/books?mode=slow`, { headers, signal: leaving.signal });
    await eventually(() => control.held.length === 1);
    leaving.abort();
    await expect(answer).rejects.toThrow('aborted');
    await eventually(() => control.aborted === 1);
  } finally {
    control.release();
    await patient.stop();
  }
});

/** What the service answers to bytes that no HTTP library would send. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(service.url);
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

test('a body that never comes is request-timeout', async () => {
  const answer = await raw(
    `POST /v1/books HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${service.token}\r\nconnection: close\r\n` +
      'content-type: application/json\r\ncontent-length: 100\r\n\r\n{"title"',
  );
  expect(answer).toMatch(/^HTTP\/1.1 408 /);
  expect(answer).toContain('"code":"request-timeout"');
});

test('what is no HTTP is answered with a problem as well', async () => {
  const answer = await raw('EHLO mail.example\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\ncontent-type: application\/problem\+json/);
  expect(problemSchema.parse(JSON.parse(answer.split('\r\n\r\n')[1]!)).code).toBe('malformed-request');
});

test('headers without end are refused', async () => {
  const answer = await raw(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1.1 431 /);
  expect(answer).toContain('"code":"headers-too-large"');
});

test('every answer, good or bad, carries the security headers', async () => {
  for (const path of ['/healthz', '/v1/nothing', '/v1/books/7']) {
    const { headers } = await service.call('GET', path);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  }
});
