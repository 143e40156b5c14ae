import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { check, type CheckTarget } from './check.ts';

const target: CheckTarget = {
  podIp: '10.0.0.1',
  ports: [],
  environment: { PATH: process.env['PATH'] ?? '', WORD: 'hello' },
  cwd: '/',
};

describe('a probe handler', () => {
  let server: http.Server;
  let port: number;
  beforeAll(async () => {
    server = http.createServer((request, response) => {
      if (request.url === '/slow') return;
      response.statusCode = Number(request.url?.slice(1));
      response.end(request.headers['x-check'] ?? '');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test.each([
    [200, true],
    [302, true],
    [399, true],
    [400, false],
    [503, false],
  ])('HTTP status %i is success: %s', async (status, ok) => {
    const result = await check({ httpGet: { path: `/${status}`, port } }, target, 1000);
    expect(result.ok).toBe(ok);
    if (!ok) expect(result.detail).toBe(`HTTP probe failed with statuscode: ${status}`);
  });

  test('a port may be given by its name', async () => {
    const named = { ...target, ports: [{ name: 'http', containerPort: port }] };
    expect((await check({ tcpSocket: { port: 'http' } }, named, 1000)).ok).toBe(true);
    expect(await check({ tcpSocket: { port: 'other' } }, named, 1000)).toEqual({
      ok: false,
      detail: "couldn't find port: other",
    });
  });

  test('an answer that does not come in time is a failure', async () => {
    const result = await check({ httpGet: { path: '/slow', port } }, target, 50);
    expect(result).toMatchObject({ ok: false, detail: expect.stringContaining('context deadline exceeded') as string });
  });

  test('a refused connection is told in kubelet’s words, with the address of the API', async () => {
    const result = await check({ httpGet: { path: '/x', port: 1 } }, target, 1000);
    expect(result.detail).toBe('Get "http://10.0.0.1:1/x": dial tcp 10.0.0.1:1: connect: connection refused');
  });

  test('a command succeeds with exit code 0 and sees the container’s environment', async () => {
    const ok = await check({ exec: { command: ['sh', '-c', 'echo $WORD'] } }, target, 5000);
    expect(ok).toEqual({ ok: true, detail: 'hello' });
    const bad = await check({ exec: { command: ['sh', '-c', 'echo no >&2; exit 3'] } }, target, 5000);
    expect(bad).toEqual({ ok: false, detail: 'no\n' });
    const slow = await check({ exec: { command: ['sleep', '30'] } }, target, 100);
    expect(slow.detail).toContain('timed out after 0.1s');
  });

  test('what is not supported is refused by name', async () => {
    expect((await check({ grpc: {} }, target, 100)).detail).toContain('grpc is not supported');
  });
});
