import { problemSchema } from '@keelson/contracts';
import fc from 'fast-check';
import { exampleService, type ExampleService } from './example-service.ts';

let service: ExampleService;
beforeAll(async () => {
  service = await exampleService({ environment: { RATE_LIMIT_PER_SECOND: '0' } });
});
afterAll(() => service.stop());

// Titles that make the example fail on purpose.
const provoked = new Set(['crash', 'slow', 'rolled back', 'commit, then crash']);

test('whatever is sent, the answer is a success of the contract or a problem of the caller, never our fault', async () => {
  const title = fc.string({ maxLength: 25 }).filter((text) => !provoked.has(text));
  const book = fc.record(
    { title, pages: fc.oneof(fc.integer(), fc.double(), fc.string()), tags: fc.anything() },
    { requiredKeys: [] },
  );
  const body = fc.oneof(
    book.map((value) => JSON.stringify(value) ?? 'null'),
    fc.json(),
    fc.string(),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => new Uint8Array(bytes)),
  );
  const type = fc.constantFrom(
    'application/json',
    'application/json; charset=utf-8',
    'text/plain',
    'application/pkcs10',
    '',
  );
  const path = fc.constantFrom('/v1/books', '/v1/upload', '/v1/books/x', '/v1/nothing', '/v1/books?limit=0&x[]=%00');
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('POST', 'PUT', 'DELETE'),
      path,
      type,
      body,
      async (method, to, contentType, sent) => {
        const headers: Record<string, string> = contentType === '' ? {} : { 'content-type': contentType };
        const answer = await service.call(method, to, { body: sent, headers });
        expect(answer.status).toBeLessThan(500);
        if (answer.status >= 400) expect(problemSchema.parse(answer.json).status).toBe(answer.status);
      },
    ),
    { numRuns: 300 },
  );
});

const deep = (levels: number, open: string, close: string): string => open.repeat(levels) + close.repeat(levels);
test.each([
  ['lists', deep(200_000, '[', ']')],
  ['lists that never close and are', '['.repeat(500_000)],
  ['objects', `${deep(100_000, '{"a":', '')}1${'}'.repeat(100_000)}`],
  ['objects that never close and are', '{"a":'.repeat(200_000)],
  ['a list in a field', `{"title":"deep","tags":${deep(200_000, '[', ']')}}`],
])('%s nested too deep are refused, and are no fault of ours', async (_, body) => {
  const headers = { 'content-type': 'application/json', 'idempotency-key': 'deep' };
  const answer = await service.call('POST', '/v1/books', { body, headers });
  expect(answer.status).toBe(400);
  expect(answer.json).toMatchObject({ code: 'malformed-json', detail: expect.stringContaining('at most') });
});

test('whatever the query says, it is understood or its faults are named', async () => {
  const query = fc.array(fc.tuple(fc.constantFrom('limit', 'mode', 'x', '__proto__', 'constructor'), fc.string()), {
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(query, async (pairs) => {
      fc.pre(!pairs.some(([name, value]) => name === 'mode' && ['slow', 'wrong'].includes(value)));
      const answer = await service.call('GET', `/v1/books?${new URLSearchParams(pairs).toString()}`);
      if (answer.status === 200) return;
      expect(answer.status).toBe(422);
      expect(answer.json['errors'].length).toBeGreaterThan(0);
    }),
    { numRuns: 200 },
  );
});
