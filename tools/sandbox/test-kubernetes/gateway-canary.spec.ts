import { KubernetesClient, resources } from '@keelson/kubernetes';
import { eventually, testCluster, type TestCluster } from '@keelson/testing';
import { startGateway, type RunningGateway } from './support/parts.ts';
import { ask, untilRouted } from './support/requests.ts';
import { Routes } from './support/routes.ts';
import { WebServer } from './support/web-server.ts';

describe('canary Ingresses on the sandbox gateway', () => {
  const host = 'canary.test';
  let cluster: TestCluster;
  let client: KubernetesClient;
  let routes: Routes;
  let gateway: RunningGateway;
  let stable: WebServer;
  let next: WebServer;

  beforeAll(async () => {
    cluster = await testCluster();
    client = KubernetesClient.fromKubeconfig(cluster.kubeconfig);
    routes = new Routes(client, await cluster.namespace());
    gateway = await startGateway(cluster, routes.namespace);
    stable = await WebServer.start('stable');
    next = await WebServer.start('next');
    await routes.service('stable', stable);
    await routes.service('next', next);
    await routes.ingress('primary', host, 'stable');
    await routes.ingress('canary', host, 'next', { annotations: { canary: 'true' } });
    await untilRouted(gateway, host);
  });
  afterAll(async () => {
    await gateway.stop();
    await stable.kill();
    await next.kill();
    client.close();
    await cluster.stop();
  });

  const none = {
    'canary-weight': null,
    'canary-weight-total': null,
    'canary-by-header': null,
    'canary-by-header-value': null,
    'canary-by-header-pattern': null,
    'canary-by-cookie': null,
  };
  const rules = (annotations: Record<string, string>): Promise<unknown> =>
    routes.annotate('canary', { ...none, ...annotations });
  const to = async (headers: Record<string, string> = {}): Promise<string> =>
    (await ask(gateway, host, { headers })).text;
  /** How many of `n` requests the canary gets. */
  const share = async (n: number): Promise<number> => {
    let hits = 0;
    for (let i = 0; i < n; i++) if ((await to()) === 'next') hits += 1;
    return hits;
  };

  test('take the share of the requests that their weight says, at once when it changes', async () => {
    await rules({ 'canary-weight': '100' });
    await eventually(async () => (await to()) === 'next');
    expect(await share(50)).toBe(50);
    await rules({ 'canary-weight': '0' });
    await eventually(async () => (await to()) === 'stable');
    expect(await share(50)).toBe(0);
    // Until the weight is seen by a first hit, then 600 requests: six standard deviations around 30 %.
    await rules({ 'canary-weight': '30' });
    await eventually(async () => (await to()) === 'next');
    const hits = await share(600);
    expect(Math.abs(hits - 180)).toBeLessThan(6 * Math.sqrt(600 * 0.3 * 0.7));
    await rules({ 'canary-weight': '1', 'canary-weight-total': '1000' });
    await eventually(async () => (await share(30)) === 0);
  });

  test('are chosen by header before cookie before weight', async () => {
    await rules({ 'canary-by-header': 'X-Canary', 'canary-by-cookie': 'canary', 'canary-weight': '0' });
    await eventually(async () => (await to({ 'x-canary': 'always' })) === 'next');
    expect(await to({ 'x-canary': 'always', cookie: 'canary=never' })).toBe('next');
    expect(await to({ 'x-canary': 'never', cookie: 'canary=always' })).toBe('stable');
    expect(await to({ cookie: 'canary=always' })).toBe('next');
    expect(await to({ 'x-canary': 'maybe', cookie: 'canary=always' })).toBe('next');
    expect(await to({ cookie: 'canary=other' })).toBe('stable');
    await rules({ 'canary-by-header': 'X-Canary', 'canary-by-cookie': 'canary', 'canary-weight': '100' });
    await eventually(async () => (await to()) === 'next');
    expect(await to({ cookie: 'canary=never' })).toBe('stable');
    expect(await to({ 'x-canary': 'never' })).toBe('stable');
  });

  test('are chosen by a header’s value or pattern', async () => {
    await rules({ 'canary-by-header': 'X-Region', 'canary-by-header-value': 'eu' });
    await eventually(async () => (await to({ 'x-region': 'eu' })) === 'next');
    expect(await to({ 'x-region': 'always' })).toBe('stable');
    await rules({ 'canary-by-header': 'X-User', 'canary-by-header-pattern': '^aBc123.*' });
    await eventually(async () => (await to({ 'x-user': 'aBc123-7' })) === 'next');
    expect(await to({ 'x-user': 'xaBc123' })).toBe('stable');
  });

  test('show in the metrics as ingress-nginx shows them', async () => {
    await rules({ 'canary-weight': '100' });
    await eventually(async () => (await to()) === 'next');
    const text = await (await fetch(gateway.metrics)).text();
    const line = text
      .split('\n')
      .find((l) => l.startsWith('nginx_ingress_controller_requests{') && l.includes(`-next-80"`));
    expect(line).toContain(`canary="${routes.namespace}-next-80"`);
    for (const label of [
      'ingress="primary"',
      'service="stable"',
      'status="200"',
      `host="${host}"`,
      'path="/"',
      'method="GET"',
    ]) {
      expect(line).toContain(label);
    }
    expect(text).toContain('nginx_ingress_controller_request_duration_seconds_bucket{');
    expect(text).toMatch(/nginx_ingress_controller_config_last_reload_successful\{.*\} 1/);
  });

  test('get nothing while they have no endpoints, and nothing once they are gone', async () => {
    await rules({ 'canary-weight': '100' });
    await eventually(async () => (await to()) === 'next');
    await routes.endpoints('next');
    await eventually(async () => (await to()) === 'stable');
    await routes.endpoints('next', next);
    await eventually(async () => (await to()) === 'next');
    await client.delete(resources.ingresses, { namespace: routes.namespace, name: 'canary' });
    await eventually(async () => (await to()) === 'stable');
    expect(await to({ 'x-canary': 'always' })).toBe('stable');
  });
});
