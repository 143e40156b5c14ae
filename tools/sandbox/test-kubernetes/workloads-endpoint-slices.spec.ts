import { type TestCluster, eventually, testCluster } from '@keelson/testing';

import { pod } from './api-objects.ts';
import { type Answer, type RawApi, rawApi } from './api-raw.ts';
import { PretendNode } from './workloads-cluster.ts';

let cluster: TestCluster;
let api: RawApi;
let node: PretendNode;
let core: string;
let slicesAt: string;

beforeAll(async () => {
  cluster = await testCluster();
  api = rawApi(cluster.kubeconfig);
  const namespace = await cluster.namespace();
  node = new PretendNode(api, namespace);
  await node.register();
  core = `/api/v1/namespaces/${namespace}`;
  slicesAt = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
});
afterAll(async () => {
  await node.unregister();
  api.close();
  await cluster.stop();
});

const service = (name: string, spec: object = {}): Promise<Answer> =>
  api.post(`${core}/services`, {
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 'http' }], ...spec },
  });

const labelled = (name: string, app: string, port = 8080): object => {
  const containers = [{ name: 'main', image: 'example/app:1', ports: [{ name: 'http', containerPort: port }] }];
  return { ...pod(name, { containers }), metadata: { name, labels: { app } } };
};

interface Endpoint {
  addresses: string[];
  conditions: { ready: boolean; serving: boolean; terminating: boolean };
  nodeName?: string;
  targetRef: { name: string };
}

const slices = async (name: string): Promise<Answer['body'][]> =>
  (await api.get(`${slicesAt}?labelSelector=kubernetes.io%2Fservice-name%3D${name}`)).body.items;
const endpoints = async (name: string): Promise<Endpoint[]> =>
  (await slices(name)).flatMap((slice) => slice.endpoints ?? []);
const ready = async (name: string): Promise<string[]> =>
  (await endpoints(name))
    .filter((e) => e.conditions.ready)
    .map((e) => e.targetRef.name)
    .sort();

describe('EndpointSlices of a Service', () => {
  test('hold its pods, with the number of a named port', async () => {
    await service('named');
    await api.post(`${core}/pods`, labelled('named-1', 'named'));
    await node.run('named-1');
    await eventually(async () => (await ready('named')).length === 1);
    const [slice] = (await slices('named')).filter((s) => s.endpoints?.length > 0);
    expect(slice).toMatchObject({
      addressType: 'IPv4',
      metadata: {
        labels: {
          'kubernetes.io/service-name': 'named',
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        },
        ownerReferences: [{ kind: 'Service', name: 'named', controller: true }],
      },
      ports: [{ name: '', port: 8080, protocol: 'TCP' }],
      endpoints: [
        {
          conditions: { ready: true, serving: true, terminating: false },
          nodeName: node.name,
          targetRef: { kind: 'Pod', name: 'named-1' },
        },
      ],
    });
  });

  test('follow readiness', async () => {
    await service('follows');
    for (const name of ['follows-1', 'follows-2']) {
      await api.post(`${core}/pods`, labelled(name, 'follows'));
      await node.run(name);
    }
    await eventually(async () => (await ready('follows')).length === 2);
    await node.setReady('follows-1', false);
    await eventually(async () => (await ready('follows')).join() === 'follows-2');
    await node.setReady('follows-1', true);
    await eventually(async () => (await ready('follows')).length === 2);
  });

  test('show a pod on its way out as serving, but not ready', async () => {
    await service('leaves');
    await api.post(`${core}/pods`, { ...labelled('leaves-1', 'leaves') });
    await node.run('leaves-1');
    await eventually(async () => (await ready('leaves')).length === 1);
    await api.call('DELETE', `${core}/pods/leaves-1`);
    await eventually(async () => (await ready('leaves')).length === 0);
    expect((await endpoints('leaves'))[0]?.conditions).toEqual({ ready: false, serving: true, terminating: true });
    await node.end('leaves-1');
    await eventually(async () => (await endpoints('leaves')).length === 0);
  });

  test('leave out pods that other labels select, and pods without an address', async () => {
    await service('strict');
    await api.post(`${core}/pods`, labelled('strict-other', 'else'));
    await node.run('strict-other');
    await api.post(`${core}/pods`, labelled('strict-pending', 'strict'));
    await api.post(`${core}/pods`, labelled('strict-1', 'strict'));
    await node.run('strict-1');
    await eventually(async () => (await ready('strict')).length === 1);
    expect((await endpoints('strict')).map((e) => e.targetRef.name)).toEqual(['strict-1']);
  });

  test('take a pod in whose label comes to match', async () => {
    await service('joins');
    await api.post(`${core}/pods`, labelled('joins-1', 'apart'));
    await node.run('joins-1');
    await api.merge(`${core}/pods/joins-1`, { metadata: { labels: { app: 'joins' } } });
    await eventually(async () => (await ready('joins')).length === 1);
    await api.merge(`${core}/pods/joins-1`, { metadata: { labels: { app: 'apart' } } });
    await eventually(async () => (await endpoints('joins')).length === 0);
  });

  test('keep pods with other port numbers apart', async () => {
    await service('ports');
    for (const [name, port] of [
      ['ports-1', 8080],
      ['ports-2', 9090],
    ] as const) {
      await api.post(`${core}/pods`, labelled(name, 'ports', port));
      await node.run(name);
    }
    await eventually(async () => (await ready('ports')).length === 2);
    const numbers = (await slices('ports')).filter((s) => s.endpoints?.length > 0).map((s) => s.ports[0].port);
    expect(numbers.sort((a, b) => a - b)).toEqual([8080, 9090]);
  });

  test('count all pods as ready where the Service says so', async () => {
    await service('early', { publishNotReadyAddresses: true });
    await api.post(`${core}/pods`, labelled('early-1', 'early'));
    await node.run('early-1', false);
    await eventually(async () => (await ready('early')).length === 1);
  });

  test('go with the Service', async () => {
    await service('ends');
    await eventually(async () => (await slices('ends')).length > 0);
    await api.call('DELETE', `${core}/services/ends`);
    await eventually(async () => (await slices('ends')).length === 0);
  });
});
