import { exampleService, type ExampleService } from './example-service.ts';

let service: ExampleService;
beforeAll(async () => {
  service = await exampleService();
});
afterAll(() => service.stop());

const get = (path: string) => service.call('GET', path, { token: null });

test('the OpenAPI document names every operation with its scope, its problems and the idempotency key', async () => {
  const { json } = await get('/openapi.json');
  expect(json['openapi']).toBe('3.1.0');
  const add = json['paths']['/v1/books'].post;
  expect(add).toMatchObject({ operationId: 'addBook', security: [{ token: ['orders:write'] }] });
  expect(add.parameters.map(({ name }: { name: string }) => name)).toEqual(['Idempotency-Key']);
  expect(add.responses['409'].description).toBe('`idempotency-key-in-progress`, `shelf-full`');
});

test('the page shows each operation, and needs no script and nothing from elsewhere', async () => {
  const page = await get('/docs');
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
  for (const text of ['POST /v1/books', 'orders:write', 'title: string (1..20 characters)', 'pages?: integer']) {
    expect(page.text).toContain(text);
  }
  expect(page.text).not.toMatch(/<script|https?:\/\/(?!keelson)/);
});

test('the messages of the platform are there as document and as page', async () => {
  expect((await get('/asyncapi.json')).json['asyncapi']).toBe('3.0.0');
  expect((await get('/asyncapi')).text).toContain('order.accepted.v1');
});
