import { KubernetesClient, resources, type Deployment } from '@keelson/kubernetes';
import { eventually, testCluster, type TestCluster } from '@keelson/testing';
import { startGateway, startNode, type RunningGateway } from './support/parts.ts';
import { ask, Load, untilRouted } from './support/requests.ts';
import { Routes } from './support/routes.ts';
import { WebServer } from './support/web-server.ts';

describe('when endpoints change, the sandbox gateway', () => {
  let cluster: TestCluster;
  let client: KubernetesClient;
  let routes: Routes;
  let gateway: RunningGateway;
  /** Ends what a test started, also when it failed half-way. */
  const endings: (() => Promise<unknown>)[] = [];
  const serve = async (name: string): Promise<WebServer> => {
    const server = await WebServer.start(name);
    endings.push(() => server.kill());
    return server;
  };
  const loadOn = (host: string, options: ConstructorParameters<typeof Load>[2]): Load => {
    const load = new Load(gateway, host, options);
    endings.push(() => load.stop());
    return load;
  };

  afterEach(async () => {
    for (const end of endings.splice(0).toReversed()) await end();
  });
  beforeAll(async () => {
    cluster = await testCluster();
    client = KubernetesClient.fromKubeconfig(cluster.kubeconfig);
    routes = new Routes(client, await cluster.namespace());
    gateway = await startGateway(cluster, routes.namespace);
  });
  afterAll(async () => {
    await gateway.stop();
    client.close();
    await cluster.stop();
  });

  test('follows each change of the endpoints', async () => {
    const one = await serve('one');
    const two = await serve('two');
    await routes.service('switch', one);
    await routes.ingress('switch', 'switch.test', 'switch');
    await untilRouted(gateway, 'switch.test');
    for (let i = 0; i < 10; i++) {
      const target = i % 2 === 0 ? two : one;
      await routes.endpoints('switch', target);
      await eventually(async () => (await ask(gateway, 'switch.test')).text === target.name);
    }
  });

  test('loses no request while servers come and go under load, POST included', async () => {
    let current = [await serve('s0'), await serve('s1')];
    await routes.service('rolling', ...current);
    await routes.ingress('rolling', 'rolling.test', 'rolling');
    await untilRouted(gateway, 'rolling.test');
    const load = loadOn('rolling.test', { workers: 8, methods: ['GET', 'POST', 'PUT'] });
    for (let i = 2; i < 8; i++) {
      const fresh = await serve(`s${i}`);
      const [leaving, ...staying] = current as [WebServer, WebServer];
      current = [...staying, fresh];
      // As the endpoints of a rolling update go: the new one ready, the old one terminating, then gone.
      await routes.endpoints('rolling', ...current, [leaving, { ready: false, serving: true, terminating: true }]);
      const before = leaving.seen.length;
      await load.more(100);
      await routes.endpoints('rolling', ...current);
      await leaving.close();
      expect(leaving.seen.length).toBeGreaterThanOrEqual(before);
    }
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.total).toBeGreaterThan(600);
    for (const server of current) expect(load.answers.get(server.name)).toBeGreaterThan(0);
  });

  test('passes a GET on when a server dies before its endpoint goes', async () => {
    const alive = await serve('alive');
    const dying = await serve('dying');
    await routes.service('crash', alive, dying);
    await routes.ingress('crash', 'crash.test', 'crash');
    await untilRouted(gateway, 'crash.test');
    const load = loadOn('crash.test', { workers: 8, methods: ['GET'] });
    await load.more(200);
    await dying.kill();
    await load.more(200);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.answers.get('dying')).toBeGreaterThan(0);
    // What was never sent goes to another endpoint whatever its method.
    const posts = await Promise.all(
      Array.from({ length: 10 }, () => ask(gateway, 'crash.test', { method: 'POST', body: 'x' })),
    );
    expect(posts.map((answer) => answer.text)).toEqual(Array.from({ length: 10 }, () => 'alive'));
  });

  test('uses an endpoint that terminates while there is no other', async () => {
    const last = await serve('last');
    await routes.service('last', last);
    await routes.ingress('last', 'last.test', 'last');
    await untilRouted(gateway, 'last.test');
    await routes.endpoints('last', [last, { ready: false, serving: true, terminating: true }]);
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(gateway, 'last.test')));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]));
    await routes.endpoints('last', [last, { ready: false, serving: false, terminating: true }]);
    await eventually(async () => (await ask(gateway, 'last.test')).status === 503);
  });

  test('loses no request during the rolling update of a Deployment with real pods', async () => {
    const node = await startNode(cluster, routes.namespace);
    endings.push(() => node.stop());
    const { namespace } = routes;
    await client.create(resources.deployments, aDeployment('web', 'v1'), { namespace });
    await client.create(
      resources.services,
      {
        metadata: { name: 'web' },
        spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
      },
      { namespace },
    );
    await routes.ingress('web', 'web.test', 'web');
    await eventually(async () => (await ask(gateway, 'web.test')).text === 'v1');
    const load = loadOn('web.test', { workers: 4, methods: ['GET', 'POST'] });
    await load.more(200);
    const { template } = aDeployment('web', 'v2').spec ?? {};
    await client.patch(resources.deployments, { spec: { template } }, { namespace, name: 'web' });
    await eventually(
      async () => {
        const { status, metadata } = await client.get(resources.deployments, { namespace, name: 'web' });
        const { items } = await client.list(resources.pods, { namespace, labelSelector: 'app=web' });
        const updated = status?.updatedReplicas === 2 && status.availableReplicas === 2 && status.replicas === 2;
        return updated && status.observedGeneration === metadata?.generation && items.length === 2;
      },
      { withinMs: 60_000, everyMs: 200, describe: 'the rolling update is through' },
    );
    await load.more(100);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.answers.get('v1')).toBeGreaterThan(0);
    expect(load.answers.get('v2')).toBeGreaterThan(0);
  });
});

/** Two pods that answer their version; at the end they take requests for a second more, as a service should. */
function aDeployment(name: string, version: string): Deployment {
  const script = `
    const server = require('http').createServer((request, response) => request.resume().on('end', () => response.end('${version}')));
    server.listen(8080, process.env.HOST);
    process.on('SIGTERM', () => server.close(() => process.exit(0)));`;
  return {
    metadata: { name },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: name } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 10,
          containers: [
            {
              name: 'web',
              image: `example.test/web:${version}`,
              command: [process.execPath, '-e', script],
              env: [{ name: 'HOST', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
              ports: [{ name: 'http', containerPort: 8080 }],
              readinessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 1 },
              lifecycle: { preStop: { sleep: { seconds: 1 } } },
            },
          ],
        },
      },
    },
  };
}
