import { exampleService, type ExampleService } from './example-service.ts';

describe('a service over HTTP', () => {
  let service: ExampleService;
  beforeAll(async () => {
    service = await exampleService({ ready: { database: () => Promise.resolve() } });
  });
  afterAll(() => service.stop());

  test('answers an operation with its status, its headers and only what the contract names', async () => {
    const answer = await service.call('POST', '/v1/books', { json: { title: 'Moby-Dick' } });
    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      id: '019a0000-0000-7000-8000-000000000001',
      title: 'Moby-Dick',
      pages: 100,
      team: 'red',
    });
    expect(answer.headers.get('location')).toBe('/v1/books/019a0000-0000-7000-8000-000000000001');
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  test('answers 204 without a body', async () => {
    const answer = await service.call('DELETE', '/v1/books/019a0000-0000-7000-8000-000000000001');
    expect([answer.status, answer.text]).toEqual([204, '']);
  });

  test('is healthy and ready', async () => {
    expect((await service.call('GET', '/healthz', { token: null })).json).toEqual({ status: 'ok' });
    const ready = await service.call('GET', '/readyz', { token: null });
    expect([ready.status, ready.json['status'], ready.json['checks'].database.ok]).toEqual([200, 'ready', true]);
  });
});
