import { readdirSync, readFileSync } from 'node:fs';
import { KubernetesClient, resources } from '@keelson/kubernetes';
import { eventually, privateFolder, removePrivateFolder, testCluster, type TestCluster } from '@keelson/testing';
import { startNode } from './support/parts.ts';
import { aPod, conditionOf, containerOf, Pods } from './support/pods.ts';

/** The processes whose environment has this marker. */
function processesWith(marker: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`MARKER=${marker}`);
      } catch {
        // It ended meanwhile.
        return false;
      }
    })
    .map(Number);
}

describe('the sandbox node', () => {
  let cluster: TestCluster;
  let client: KubernetesClient;
  beforeAll(async () => {
    cluster = await testCluster();
    client = KubernetesClient.fromKubeconfig(cluster.kubeconfig);
  });
  afterAll(async () => {
    client.close();
    await cluster.stop();
  });

  test('when killed takes its processes along; the next start runs the pods again, once each', async () => {
    const pods = new Pods(client, await cluster.namespace());
    const stateDir = privateFolder('node-restart');
    const name = `restart-${pods.namespace}`;
    const first = await startNode(cluster, pods.namespace, { name, stateDir });
    const marker = `m-${pods.namespace}`;
    // The grandchild outlives its parent's death signal: only the next start can end it.
    await pods.create(aPod('kept', 'sleep 600 & wait', { env: [{ name: 'MARKER', value: marker }] }));
    await pods.untilReady('kept');
    await eventually(() => processesWith(marker).length === 2);
    const before = processesWith(marker);
    first.process.kill('SIGKILL');
    await first.process.exited;
    const second = await startNode(cluster, pods.namespace, { name, stateDir });
    const pod = await pods.until(
      'kept',
      'was restarted',
      (p) => containerOf(p)?.restartCount === 1 && conditionOf(p, 'Ready') === 'True',
    );
    expect(containerOf(pod)?.lastState?.terminated).toMatchObject({ reason: 'Unknown', exitCode: 255 });
    await eventually(() => processesWith(marker).length === 2);
    expect(processesWith(marker).filter((pid) => before.includes(pid))).toEqual([]);
    await second.stop();
    // What is killed may still be listed for a moment.
    await eventually(() => processesWith(marker).length === 0);
    expect(conditionOf(await pods.get('kept'), 'Ready')).toBe('False');
    removePrivateFolder(stateDir);
  });

  test('is a Ready Node with a Lease while it runs, and not ready afterwards', async () => {
    const namespace = await cluster.namespace();
    const node = await startNode(cluster, namespace, { args: ['--heartbeat', '200ms'] });
    const get = () => client.get(resources.nodes, { name: node.name });
    const found = await get();
    expect(found.spec?.podCIDR).toMatch(/^10\.\d+\.0\.0\/16$/);
    expect(found.status?.conditions?.find((c) => c.type === 'Ready')?.status).toBe('True');
    const lease = () => client.get(resources.leases, { namespace: 'kube-node-lease', name: node.name });
    const one = await lease();
    expect(one.spec?.holderIdentity).toBe(node.name);
    await eventually(async () => (await lease()).spec?.renewTime !== one.spec?.renewTime);
    await node.stop();
    expect((await get()).status?.conditions?.find((c) => c.type === 'Ready')?.status).toBe('False');
  });

  test('shares pods with another node, and leaves alone what is bound elsewhere', async () => {
    const pods = new Pods(client, await cluster.namespace());
    const nodes = await Promise.all([startNode(cluster, pods.namespace), startNode(cluster, pods.namespace)]);
    const names = Array.from({ length: 6 }, (_, i) => `shared-${i}`);
    for (const name of names) await pods.create(aPod(name, 'sleep 600'));
    const ready = await Promise.all(names.map((name) => pods.untilReady(name)));
    const on = new Set(ready.map((pod) => pod.spec?.nodeName));
    expect(on).toEqual(new Set(nodes.map((node) => node.name)));
    const addresses = new Set(ready.map((pod) => pod.status?.podIP));
    expect(addresses.size).toBe(6);
    await pods.create(aPod('elsewhere', 'true', {}, { nodeName: 'no-such-node' }));
    await pods.create(aPod('other-scheduler', 'true', {}, { schedulerName: 'special' }));
    await pods.create(aPod('last', 'sleep 600'));
    await pods.untilReady('last');
    expect((await pods.get('elsewhere')).status?.phase).toBe('Pending');
    expect((await pods.get('other-scheduler')).spec?.nodeName ?? '').toBe('');
    for (const node of nodes) await node.stop();
  });

  test('runs a hundred pods, and goes on to serve', async () => {
    const pods = new Pods(client, await cluster.namespace());
    const node = await startNode(cluster, pods.namespace);
    const names = Array.from({ length: 100 }, (_, i) => `many-${i}`);
    const probe = { tcpSocket: { port: 10250, host: '127.0.0.1' }, periodSeconds: 10, failureThreshold: 1000 };
    for (const name of names) {
      await pods.create(aPod(name, 'echo here; exec sleep 600', { livenessProbe: probe }));
    }
    await eventually(
      async () => {
        const { items } = await client.list(resources.pods, { namespace: pods.namespace });
        return items.filter((pod) => conditionOf(pod, 'Ready') === 'True').length === 100;
      },
      { withinMs: 60_000, everyMs: 250, describe: 'all hundred pods are ready' },
    );
    expect(await pods.logs('many-99')).toBe('here\n');
    await pods.create(aPod('one-more', 'exec sleep 600'));
    await pods.untilReady('one-more');
    await node.stop();
  });
});
