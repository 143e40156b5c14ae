import { type TestCluster, eventually, testCluster } from '@keelson/testing';

import { deployment } from './api-objects.ts';
import { type Answer, type RawApi, rawApi } from './api-raw.ts';
import { PretendNode } from './workloads-cluster.ts';

let cluster: TestCluster;
let api: RawApi;
let namespace: string;
let node: PretendNode;
let apps: string;
let deployments: string;

beforeAll(async () => {
  cluster = await testCluster();
  api = rawApi(cluster.kubeconfig);
  namespace = await cluster.namespace();
  node = new PretendNode(api, namespace);
  await node.register();
  apps = `/apis/apps/v1/namespaces/${namespace}`;
  deployments = `${apps}/deployments`;
});
afterAll(async () => {
  await node.unregister();
  api.close();
  await cluster.stop();
});

const image = (tag: string): object => ({
  spec: { template: { spec: { containers: [{ name: 'main', image: `example/app:${tag}` }] } } },
});
const release = (name: string, tag: string): Promise<Answer> =>
  api.call('PATCH', `${deployments}/${name}`, image(tag), { type: 'application/strategic-merge-patch+json' });
const get = async (name: string): Promise<Answer['body']> => (await api.get(`${deployments}/${name}`)).body;
const replicaSets = async (name: string): Promise<Answer['body'][]> =>
  (await api.get(`${apps}/replicasets?labelSelector=app%3D${name}`)).body.items;
const isReady = (c: Record<string, string>): boolean => c['type'] === 'Ready' && c['status'] === 'True';
const condition = (object: Answer['body'], type: string): Record<string, string> | undefined =>
  object.status.conditions?.find((c: Record<string, string>) => c['type'] === type);

const complete = async (name: string): Promise<boolean> => {
  const { spec, status, metadata } = await get(name);
  return (
    status.observedGeneration === metadata.generation &&
    (status.updatedReplicas ?? 0) === spec.replicas &&
    (status.replicas ?? 0) === spec.replicas &&
    (status.availableReplicas ?? 0) === spec.replicas
  );
};
const roll = (name: string, watch?: () => Promise<void>): Promise<void> =>
  node.keepRunning(`app=${name}`, () => complete(name), watch);

/** A Deployment with all its pods running. */
async function running(name: string, spec: object = {}): Promise<void> {
  await api.post(deployments, deployment(name, spec));
  await roll(name);
}

describe('a Deployment', () => {
  test('makes a ReplicaSet of its template, which makes the pods', async () => {
    await api.post(deployments, deployment('make', { replicas: 2 }));
    await eventually(async () => (await node.pods('app=make')).length === 2);
    const [set] = await replicaSets('make');
    const hash = set.metadata.labels['pod-template-hash'];
    expect(set.metadata.name).toBe(`make-${hash}`);
    expect(set.metadata.ownerReferences[0]).toMatchObject({ kind: 'Deployment', name: 'make', controller: true });
    const [pod] = await node.pods('app=make');
    expect(pod.metadata.labels).toEqual({ app: 'make', 'pod-template-hash': hash });
    expect(pod.metadata.ownerReferences[0]).toMatchObject({
      kind: 'ReplicaSet',
      name: set.metadata.name,
      controller: true,
    });
  });

  test('reports its progress until all pods are available', async () => {
    await api.post(deployments, deployment('report', { replicas: 2 }));
    await eventually(async () => (await get('report')).status.updatedReplicas === 2);
    await eventually(async () => condition(await get('report'), 'Available')?.['status'] === 'False');
    await roll('report');
    const object = await get('report');
    expect(object.status).toMatchObject({ replicas: 2, readyReplicas: 2, availableReplicas: 2, updatedReplicas: 2 });
    expect(condition(object, 'Available')).toMatchObject({ status: 'True', reason: 'MinimumReplicasAvailable' });
    await eventually(
      async () => condition(await get('report'), 'Progressing')?.['reason'] === 'NewReplicaSetAvailable',
    );
  });

  test('rolls a new version out without ever having too many or too few', async () => {
    await running('bounds', { replicas: 4, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } });
    const seen: { total: number; available: number }[] = [];
    const look = async (): Promise<{ settled: boolean; waiting: Answer['body'] }> => {
      const sets = await replicaSets('bounds');
      const pods = await node.pods('app=bounds');
      const total = sets.reduce((sum, { spec }) => sum + spec.replicas, 0);
      const available = pods.filter((pod) => pod.status.conditions?.some(isReady)).length;
      seen.push({ total, available });
      const settled =
        sets.every(
          ({ metadata, spec, status }) =>
            status.observedGeneration === metadata.generation && status.replicas === spec.replicas,
        ) &&
        sets.reduce((sum, { status }) => sum + (status.availableReplicas ?? 0), 0) === 3 &&
        (total === 5 || sets.some(({ spec, status }) => spec.replicas === 4 && status.availableReplicas === 3));
      return { settled, waiting: pods.find(({ spec }) => !spec.nodeName) };
    };
    await release('bounds', '2');
    // A pod at a time, each when all is done that its predecessor allowed: the real controller believes the ReplicaSets'
    // status, and goes too far where that lags behind pods that become ready all at once.
    for (let fresh = 0; fresh < 4; fresh++) {
      const { waiting } = await eventually(async () => {
        const seenNow = await look();
        return seenNow.settled && seenNow.waiting && seenNow;
      });
      await node.run(waiting.metadata.name);
    }
    await roll('bounds', async () => void (await look()));
    expect(Math.max(...seen.map(({ total }) => total))).toBe(5);
    expect(Math.min(...seen.map(({ available }) => available))).toBe(3);
    const sets = await replicaSets('bounds');
    expect(sets.map(({ spec }) => spec.replicas).sort((a, b) => a - b)).toEqual([0, 4]);
  });

  test('stops a rollout whose new pods do not become ready', async () => {
    await running('stuck', { replicas: 2, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } });
    await release('stuck', 'bad');
    const fresh = await eventually(async () => (await node.pods('app=stuck')).find((pod) => !pod.spec.nodeName));
    await node.run(fresh.metadata.name, false);
    await eventually(async () => {
      const { status } = await get('stuck');
      return status.unavailableReplicas === 1 && status.updatedReplicas === 1;
    });
    expect((await node.pods('app=stuck')).length).toBe(3);
    expect((await get('stuck')).status).toMatchObject({ availableReplicas: 2, updatedReplicas: 1 });
  });

  test('numbers its revisions, and takes an old ReplicaSet up again', async () => {
    await running('revised');
    const revision = async (): Promise<string> =>
      (await get('revised')).metadata.annotations['deployment.kubernetes.io/revision'];
    expect(await revision()).toBe('1');
    const [first] = await replicaSets('revised');
    await release('revised', '2');
    await roll('revised');
    expect(await revision()).toBe('2');
    await release('revised', '1');
    await roll('revised');
    await eventually(async () => (await revision()) === '3');
    const sets = await replicaSets('revised');
    expect(sets).toHaveLength(2);
    expect(sets.find(({ spec }) => spec.replicas === 1).metadata.uid).toBe(first.metadata.uid);
  });

  test('scales up and down, to nothing too', async () => {
    await running('sized');
    await api.merge(`${deployments}/sized/scale`, { spec: { replicas: 3 } });
    await roll('sized');
    expect(await node.pods('app=sized')).toHaveLength(3);
    await api.merge(`${deployments}/sized/scale`, { spec: { replicas: 0 } });
    await roll('sized');
    expect(await node.pods('app=sized')).toHaveLength(0);
  });

  test('replaces a pod that is deleted', async () => {
    await running('healed');
    const [before] = await node.pods('app=healed');
    await node.end(before.metadata.name);
    await eventually(async () => {
      const pods = await node.pods('app=healed');
      return pods.length === 1 && pods[0].metadata.uid !== before.metadata.uid;
    });
  });

  test('recreates: no new pod before the last old one is gone', async () => {
    await running('recreated', { replicas: 2, strategy: { type: 'Recreate' } });
    await release('recreated', '2');
    let together = false;
    await roll('recreated', async () => {
      const { body } = await api.get(`/api/v1/namespaces/${namespace}/pods?labelSelector=app%3Drecreated`);
      const hashes = new Set(body.items.map((p: Answer['body']) => p.metadata.labels['pod-template-hash']));
      together ||= hashes.size > 1;
    });
    expect(together).toBe(false);
  });

  test('keeps its history to the limit', async () => {
    await running('history', { revisionHistoryLimit: 1 });
    for (const tag of ['2', '3', '4']) {
      await release('history', tag);
      await roll('history');
    }
    await eventually(async () => (await replicaSets('history')).length === 2);
  });

  test('does nothing new while it is paused', async () => {
    await running('paused');
    await api.merge(`${deployments}/paused`, { spec: { paused: true } });
    await release('paused', '2');
    await eventually(async () => {
      const { status, metadata } = await get('paused');
      return status.observedGeneration === metadata.generation;
    });
    expect(await replicaSets('paused')).toHaveLength(1);
    await api.merge(`${deployments}/paused`, { spec: { paused: false } });
    await roll('paused');
    expect(await replicaSets('paused')).toHaveLength(2);
  });

  test('tells what it scales as Events', async () => {
    await running('told');
    const { body } = await eventually(async () => {
      const answer = await api.get(
        `/api/v1/namespaces/${namespace}/events?fieldSelector=involvedObject.name%3Dtold,reason%3DScalingReplicaSet`,
      );
      return answer.body.items.length > 0 && answer;
    });
    expect(body.items[0]).toMatchObject({ type: 'Normal', involvedObject: { kind: 'Deployment', name: 'told' } });
    expect(body.items[0].message).toMatch(/^Scaled up replica set told-\w+ from 0 to 1$/);
  });

  test('goes with its ReplicaSets and pods', async () => {
    await running('gone');
    await api.call('DELETE', `${deployments}/gone`);
    await eventually(async () => (await replicaSets('gone')).length === 0);
    await node.keepRunning('app=gone', async () => (await node.pods('app=gone')).length === 0);
  });
});
