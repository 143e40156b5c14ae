import { createClient } from '@keelson/contracts';
import { eventually } from '@keelson/testing';
import { booksApi, exampleService, type ExampleService } from './example-service.ts';

let service: ExampleService;
beforeEach(async () => {
  // A live view outlives the time that other requests have.
  service = await exampleService({ environment: { REQUEST_TIME_LIMIT_MS: '200' } });
});
afterEach(() => service.stop());

test('a client of the contract reads the events of a live view as they come', async () => {
  const client = createClient(booksApi, { baseUrl: service.url });
  const seen: unknown[] = [];
  const stop = new AbortController();
  for await (const event of await client.live({ signal: stop.signal })) {
    seen.push(event);
    if (seen.length === 3) break;
  }
  stop.abort();
  expect(seen).toEqual([1, 2, 3].map((at) => ({ id: String(at), event: 'tick', data: { at } })));
});

test('the stream has the headers that browsers and proxies need, and goes on where the client was', async () => {
  const stop = new AbortController();
  const response = await fetch(`${service.url}/v1/live`, { headers: { 'last-event-id': '7' }, signal: stop.signal });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!text.includes('id: 10')) text += (await reader.read()).value ?? '';
  expect(text).toContain('id: 8\nevent: tick\ndata: {"at":8}\n\n');
  stop.abort();
});

test('the source ends when the client goes away', async () => {
  const stop = new AbortController();
  await fetch(`${service.url}/v1/live`, { signal: stop.signal });
  await eventually(() => service.control.held.length === 1);
  stop.abort();
  service.control.release();
  await eventually(() => service.control.liveEnded === 1);
});

test('a shutdown ends streams at once instead of waiting for them', async () => {
  const response = await fetch(`${service.url}/v1/live`);
  const ended = response.text();
  await eventually(() => service.control.held.length === 1);
  const abandoned = await service.close();
  expect(abandoned).toEqual([]);
  expect(await ended).toContain('id: 3');
});
