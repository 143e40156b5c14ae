import { createHash } from 'node:crypto';
import http from 'node:http';
import { KubernetesClient, resources } from '@keelson/kubernetes';
import { eventually, testCluster, type TestCluster } from '@keelson/testing';
import { startGateway, type RunningGateway } from './support/parts.ts';
import { ask, untilRouted } from './support/requests.ts';
import { Routes } from './support/routes.ts';
import { WebServer } from './support/web-server.ts';

describe('the sandbox gateway routes', () => {
  let cluster: TestCluster;
  let client: KubernetesClient;
  let routes: Routes;
  let gateway: RunningGateway;
  const servers: WebServer[] = [];
  const serve = async (...args: Parameters<typeof WebServer.start>): Promise<WebServer> => {
    const server = await WebServer.start(...args);
    servers.push(server);
    return server;
  };

  beforeAll(async () => {
    cluster = await testCluster();
    client = KubernetesClient.fromKubeconfig(cluster.kubeconfig);
    routes = new Routes(client, await cluster.namespace());
    gateway = await startGateway(cluster, routes.namespace);
  });
  afterAll(async () => {
    await gateway.stop();
    for (const server of servers) await server.kill();
    client.close();
    await cluster.stop();
  });

  test('by host and path, tells who asked, and publishes its address', async () => {
    const web = await serve('web');
    await routes.service('web', web);
    await routes.ingress('web', 'routing.test', 'web', { path: '/api' });
    await untilRouted(gateway, 'routing.test', '/api');
    const answer = await ask(gateway, `routing.test:${gateway.httpPort}`, {
      path: '/api/x?y=1',
      headers: {
        traceparent: '00-11111111111111111111111111111111-2222222222222222-01',
        te: 'trailers',
        'x-request-id': 'r-1',
      },
    });
    expect(answer).toMatchObject({ status: 200, text: 'web' });
    const seen = web.seen.at(-1);
    expect(seen).toMatchObject({
      url: '/api/x?y=1',
      headers: {
        host: `routing.test:${gateway.httpPort}`,
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': `routing.test:${gateway.httpPort}`,
        'x-forwarded-port': String(gateway.httpPort),
        'x-request-id': 'r-1',
        traceparent: '00-11111111111111111111111111111111-2222222222222222-01',
      },
    });
    expect(seen?.headers['te']).toBeUndefined();
    expect(await ask(gateway, 'routing.test', { path: '/other' })).toMatchObject({
      status: 404,
      text: 'default backend - 404',
    });
    await eventually(async () => {
      const ingress = await client.get(resources.ingresses, { namespace: routes.namespace, name: 'web' });
      return ingress.status?.loadBalancer?.ingress?.[0]?.ip === '127.0.0.1';
    });
  });

  test('bodies through without holding them back, both ways', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const echo = await serve('echo', (request, response) => {
      if (request.url === '/slow') {
        response.write('first');
        void released.then(() => response.end('last'));
        return;
      }
      response.writeHead(200, { 'x-length': request.headers['content-length'] ?? 'chunked' });
      request.pipe(response);
    });
    await routes.service('echo', echo);
    await routes.ingress('echo', 'echo.test', 'echo', { annotations: { 'proxy-body-size': '0' } });
    await untilRouted(gateway, 'echo.test', '/x');

    // The first chunk arrives while the pod still holds the last one.
    const parts: string[] = [];
    const done = new Promise<void>((resolve, reject) => {
      http
        .get(
          { host: '127.0.0.1', port: gateway.httpPort, path: '/slow', headers: { host: 'echo.test' }, agent: false },
          (response) => {
            response.on('data', (chunk: Buffer) => {
              parts.push(chunk.toString());
              release();
            });
            response.on('end', resolve);
          },
        )
        .on('error', reject);
    });
    await done;
    expect(parts).toEqual(['first', 'last']);

    const large = Buffer.alloc(8 * 1024 * 1024, 'keelson');
    const whole = await ask(gateway, 'echo.test', {
      method: 'PUT',
      body: large,
      headers: { 'content-length': large.length },
    });
    expect(whole.headers['x-length']).toBe(String(large.length));
    expect(createHash('sha256').update(whole.text).digest('hex')).toBe(
      createHash('sha256').update(large).digest('hex'),
    );
    const chunked = await ask(gateway, 'echo.test', {
      method: 'POST',
      body: 'small',
      headers: { 'transfer-encoding': 'chunked' },
    });
    expect(chunked).toMatchObject({ status: 200, text: 'small', headers: { 'x-length': 'chunked' } });
    expect((await ask(gateway, 'echo.test', { method: 'HEAD' })).status).toBe(200);
  });

  test('WebSockets', async () => {
    const socket = await serve('socket');
    socket.server.on('upgrade', (request: http.IncomingMessage, connection) => {
      connection.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Url: ${request.url}\r\n\r\n`,
      );
      connection.on('data', (chunk: Buffer) => connection.write(`echo ${chunk.toString()}`));
      connection.on('error', () => undefined);
    });
    await routes.service('socket', socket);
    await routes.ingress('socket', 'socket.test', 'socket');
    await untilRouted(gateway, 'socket.test');
    const heard = await new Promise<string>((resolve, reject) => {
      const request = http.get({
        host: '127.0.0.1',
        port: gateway.httpPort,
        path: '/chat',
        headers: { host: 'socket.test', connection: 'Upgrade', upgrade: 'websocket' },
      });
      request.on('error', reject);
      request.on('upgrade', (response, connection) => {
        expect(response.headers['x-url']).toBe('/chat');
        connection.on('data', (chunk: Buffer) => {
          connection.destroy();
          resolve(chunk.toString());
        });
        connection.write('hello');
      });
    });
    expect(heard).toBe('echo hello');
  });

  test('refuses what is too large with 413, before the pod sees it', async () => {
    const limited = await serve('limited');
    await routes.service('limited', limited);
    await routes.ingress('limited', 'limited.test', 'limited', { annotations: { 'proxy-body-size': '1k' } });
    await untilRouted(gateway, 'limited.test');
    const before = limited.seen.length;
    expect((await ask(gateway, 'limited.test', { method: 'POST', body: 'x'.repeat(1025) })).status).toBe(413);
    expect(limited.seen.length).toBe(before);
    expect((await ask(gateway, 'limited.test', { method: 'POST', body: 'x'.repeat(1024) })).status).toBe(200);
    const endless = await ask(gateway, 'limited.test', {
      method: 'POST',
      body: 'x'.repeat(100_000),
      headers: { 'transfer-encoding': 'chunked' },
    });
    expect(endless.status).toBe(413);
  });

  test('answers 503 without endpoints, 502 for a pod that is not there, 504 for one that keeps silent', async () => {
    const silent = await serve('silent', (request, response) => {
      if (request.url !== '/silent') response.end('here');
    });
    const dead = await serve('dead');
    await routes.service('silent', silent);
    await routes.service('dead', dead);
    await routes.service('none');
    await routes.ingress('silent', 'silent.test', 'silent', { annotations: { 'proxy-read-timeout': '1' } });
    await routes.ingress('dead', 'dead.test', 'dead');
    await routes.ingress('none', 'none.test', 'none');
    await untilRouted(gateway, 'silent.test');
    await untilRouted(gateway, 'dead.test');
    await dead.kill();
    expect((await ask(gateway, 'dead.test')).status).toBe(502);
    expect((await ask(gateway, 'none.test')).status).toBe(503);
    expect((await ask(gateway, 'silent.test', { path: '/silent' })).status).toBe(504);
  });

  test('tells the owner of an Ingress what has no effect', async () => {
    await routes.ingress('told', 'told.test', 'web', { annotations: { 'rewrite-target': '/' } });
    const event = await eventually(async () => {
      const { items } = await client.list(resources.events, {
        namespace: routes.namespace,
        fieldSelector: 'involvedObject.name=told',
      });
      return items[0];
    });
    expect(event).toMatchObject({
      type: 'Warning',
      reason: 'AnnotationIgnored',
      message: expect.stringContaining('nginx.ingress.kubernetes.io/rewrite-target') as string,
    });
  });
});
