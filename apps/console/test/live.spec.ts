import type { Endpoint } from '@keelson/contracts';
import { eventually } from '@keelson/testing';
import { fastify, type FastifyInstance } from 'fastify';
import { Agent } from 'undici';
import { passOn } from '../src/server/pass-on.ts';
import { Upstream } from './upstream.ts';

const tail: Endpoint = {
  method: 'GET',
  path: '/v1/tail',
  scope: 'events:read',
  summary: 'A live view',
  responseType: 'text/event-stream',
  status: 200,
};

describe('a live view', () => {
  let upstream: Upstream;
  let server: FastifyInstance;
  let dispatcher: Agent;
  let draining: AbortController;
  let url: string;

  beforeEach(async () => {
    upstream = await Upstream.start();
    server = fastify();
    dispatcher = new Agent();
    draining = new AbortController();
    const to = { service: 'event-relay', url: upstream.url, endpoints: [tail] };
    passOn(server, to, { dispatcher, limitMs: 200, draining: draining.signal });
    url = `${await server.listen({ port: 0 })}/v1/tail`;
  });

  afterEach(async () => {
    await server.close();
    await dispatcher.destroy();
    await upstream.stop();
  });

  test('each event comes when it is sent, for longer than another answer may take', async () => {
    let send: (text: string) => void = () => undefined;
    upstream.answer((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      send = (text) => void response.write(text);
      send(': connected\n\n');
    });
    const answer = await fetch(url);
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toBe(': connected\n\n');
    const begun = performance.now();
    // Longer than limitMs: waited for on the clock, because nothing may happen meanwhile.
    await eventually(() => performance.now() - begun > 400);
    send('data: 1\n\n');
    expect((await reader.read()).value).toBe('data: 1\n\n');
    send('data: 2\n\n');
    expect((await reader.read()).value).toBe('data: 2\n\n');
    await reader.cancel();
  });

  test('the service is told when the browser leaves', async () => {
    upstream.answer((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': connected\n\n');
    });
    const leave = new AbortController();
    const answer = await fetch(url, { signal: leave.signal });
    await answer.body!.getReader().read();
    leave.abort();
    await upstream.arrived[0]!.left;
  });

  test('it ends in good order when the server drains', async () => {
    upstream.answer((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
    });
    const answer = await fetch(url);
    const whole = answer.text();
    await eventually(() => upstream.arrived.length === 1);
    draining.abort();
    expect(await whole).toBe('data: 1\n\n');
    await upstream.arrived[0]!.left;
  });
});
