import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { KubernetesClient, resources } from '@keelson/kubernetes';
import { eventually, onPath, testCluster, type TestCluster } from '@keelson/testing';
import { selfSigned } from '../self-signed/self-signed.ts';
import { startGateway, type RunningGateway } from './support/parts.ts';
import { ask, untilRouted } from './support/requests.ts';
import { Routes } from './support/routes.ts';
import { WebServer } from './support/web-server.ts';

describe('TLS on the sandbox gateway', () => {
  let cluster: TestCluster;
  let client: KubernetesClient;
  let routes: Routes;
  let gateway: RunningGateway;
  let web: WebServer;

  const pair = (commonName: string, days = 30) =>
    selfSigned({ commonName, names: [commonName], days, now: new Date() });
  const secret = (name: string, { certificate, key }: ReturnType<typeof pair>) => ({
    metadata: { name },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': certificate, 'tls.key': key },
  });

  beforeAll(async () => {
    cluster = await testCluster();
    client = KubernetesClient.fromKubeconfig(cluster.kubeconfig);
    routes = new Routes(client, await cluster.namespace());
    const { namespace } = routes;
    await client.create(resources.secrets, secret('default', pair('default.test')), { namespace });
    gateway = await startGateway(cluster, namespace, `--default-ssl-certificate=${namespace}/default`);
    web = await WebServer.start('web');
    await routes.service('web', web);
    await client.create(resources.secrets, secret('shop', pair('shop.test')), { namespace });
    await routes.ingress('shop', 'shop.test', 'web', { tls: [{ hosts: ['shop.test'], secretName: 'shop' }] });
    await routes.ingress('plain', 'plain.test', 'web');
    await untilRouted(gateway, 'plain.test');
  });
  afterAll(async () => {
    await gateway.stop();
    await web.kill();
    client.close();
    await cluster.stop();
  });

  /** The subject of the certificate that a client sees; asked of `openssl s_client` where it is installed. */
  async function subjectFor(servername: string): Promise<string> {
    if (onPath('openssl') !== undefined) {
      const args = ['s_client', '-connect', `127.0.0.1:${gateway.httpsPort}`, '-servername', servername, '-showcerts'];
      const run = promisify(execFile)('openssl', args, { timeout: 10_000 });
      run.child.stdin?.end();
      const { stdout } = await run;
      const pem = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(stdout)?.[0] ?? '';
      return new X509Certificate(pem).subject;
    }
    return new Promise((resolve, reject) => {
      const socket = tls.connect(
        { host: '127.0.0.1', port: gateway.httpsPort, servername, rejectUnauthorized: false },
        () => {
          resolve(socket.getPeerX509Certificate()?.subject ?? '');
          socket.destroy();
        },
      );
      socket.on('error', reject);
    });
  }

  test('serves the certificate of the host, the default one for any other', async () => {
    await eventually(async () => (await subjectFor('shop.test')) === 'CN=shop.test');
    expect(await subjectFor('unknown.test')).toBe('CN=default.test');
  });

  test('serves a renewed certificate without a restart, and keeps the good one when a bad one comes', async () => {
    const { namespace } = routes;
    const renewed = pair('shop.test');
    const fingerprint = new X509Certificate(renewed.certificate).fingerprint256;
    await client.patch(
      resources.secrets,
      { stringData: { 'tls.crt': renewed.certificate, 'tls.key': renewed.key } },
      { namespace, name: 'shop' },
    );
    const served = async (): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = tls.connect(
          { host: '127.0.0.1', port: gateway.httpsPort, servername: 'shop.test', rejectUnauthorized: false },
          () => {
            resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
            socket.destroy();
          },
        );
        socket.on('error', reject);
      });
    await eventually(async () => (await served()) === fingerprint);
    expect(await subjectFor('shop.test')).toBe('CN=shop.test');
    // A certificate with another's key.
    await client.patch(
      resources.secrets,
      { stringData: { 'tls.crt': pair('evil.test').certificate } },
      { namespace, name: 'shop' },
    );
    const next = pair('next.test');
    await client.create(resources.secrets, secret('next', next), { namespace });
    await routes.ingress('next', 'next.test', 'web', { tls: [{ hosts: ['next.test'], secretName: 'next' }] });
    await eventually(async () => (await subjectFor('next.test')) === 'CN=next.test');
    expect(await served()).toBe(fingerprint);
  });

  test('sends plain HTTP to HTTPS with 308 for hosts with TLS, unless the annotation says no', async () => {
    const answer = await ask(gateway, 'shop.test', { path: '/a?b=c', method: 'POST', body: 'x' });
    expect(answer.status).toBe(308);
    expect(answer.headers.location).toBe(`https://shop.test:${gateway.httpsPort}/a?b=c`);
    expect((await ask(gateway, 'plain.test')).status).toBe(200);
    await routes.annotate('shop', { 'ssl-redirect': 'false' });
    await eventually(async () => (await ask(gateway, 'shop.test')).status === 200);
    await routes.annotate('plain', { 'force-ssl-redirect': 'true' });
    await eventually(async () => (await ask(gateway, 'plain.test')).status === 308);
  });

  test('tells the pod that the client used https, and the metrics when the certificate ends', async () => {
    const socket = await new Promise<tls.TLSSocket>((resolve, reject) => {
      const connection = tls.connect(
        { host: '127.0.0.1', port: gateway.httpsPort, servername: 'shop.test', rejectUnauthorized: false },
        () => {
          resolve(connection);
        },
      );
      connection.on('error', reject);
    });
    socket.write('GET /secure HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n');
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toMatch(/^HTTP\/1.1 200 OK/);
    expect(web.seen.find((seen) => seen.url === '/secure')?.headers).toMatchObject({
      'x-forwarded-proto': 'https',
      'x-forwarded-port': String(gateway.httpsPort),
    });
    const text = await (await fetch(gateway.metrics)).text();
    const value = Number(/ssl_expire_time_seconds\{.*host="shop.test".*\} (\d+)/.exec(text)?.[1]);
    expect(Math.abs(value - Date.now() / 1000 - 30 * 86_400)).toBeLessThan(3600);
  });
});
