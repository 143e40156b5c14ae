import { type TestCluster, testCluster } from '@keelson/testing';

import { deployment } from './api-objects.ts';
import { type Answer, type RawApi, rawApi } from './api-raw.ts';

let cluster: TestCluster;
let api: RawApi;
let deployments: string;

beforeAll(async () => {
  cluster = await testCluster();
  api = rawApi(cluster.kubeconfig);
  deployments = `/apis/apps/v1/namespaces/${await cluster.namespace()}/deployments`;
  // Paused and at zero: nothing but these tests writes to it.
  await api.post(deployments, deployment('web', { paused: true, replicas: 0 }));
});
afterAll(async () => {
  api.close();
  await cluster.stop();
});

const json = (operations: object): Promise<Answer> =>
  api.call('PATCH', `${deployments}/web`, operations, { type: 'application/json-patch+json' });
const strategic = (patch: object): Promise<Answer> =>
  api.call('PATCH', `${deployments}/web`, patch, { type: 'application/strategic-merge-patch+json' });
const containers = ({ body }: Answer): { name: string; env?: { name: string; value: string }[] }[] =>
  body.spec.template.spec.containers;

describe('patching', () => {
  test('merges a merge patch, removes what is null and replaces lists whole', async () => {
    await api.merge(`${deployments}/web`, { metadata: { annotations: { a: '1', b: '2' } } });
    const { body } = await api.merge(`${deployments}/web`, { metadata: { annotations: { a: null, c: '3' } } });
    expect(body.metadata.annotations).toEqual({ b: '2', c: '3' });
  });

  test('applies a JSON patch in order', async () => {
    const { status, body } = await json([
      { op: 'add', path: '/metadata/labels', value: { a: 'b' } },
      { op: 'copy', from: '/metadata/labels/a', path: '/metadata/labels/c' },
      { op: 'test', path: '/metadata/labels/c', value: 'b' },
      { op: 'remove', path: '/metadata/labels/a' },
    ]);
    expect([status, body.metadata.labels]).toEqual([200, { c: 'b' }]);
  });

  test('refuses a JSON patch whose test fails, and changes nothing', async () => {
    const { status, body } = await json([
      { op: 'add', path: '/metadata/labels/late', value: 'x' },
      { op: 'test', path: '/spec/replicas', value: 99 },
    ]);
    expect([status, body.reason]).toEqual([422, 'Invalid']);
    expect((await api.get(`${deployments}/web`)).body.metadata.labels?.late).toBeUndefined();
  });

  test('merges containers by name in a strategic patch', async () => {
    const merged = await strategic({
      spec: {
        template: {
          spec: {
            containers: [
              { name: 'main', env: [{ name: 'A', value: '1' }] },
              { name: 'side', image: 's:1' },
            ],
          },
        },
      },
    });
    expect(containers(merged).map(({ name }) => name)).toEqual(['main', 'side']);
    const less = await strategic({
      spec: {
        template: {
          spec: {
            containers: [
              { name: 'side', $patch: 'delete' },
              { name: 'main', env: [{ name: 'B', value: '2' }] },
            ],
          },
        },
      },
    });
    expect(containers(less)).toHaveLength(1);
    expect(containers(less)[0]?.env).toEqual([
      { name: 'B', value: '2' },
      { name: 'A', value: '1' },
    ]);
  });

  test('keeps only the named keys where a strategic patch says so', async () => {
    const { body } = await strategic({ spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } });
    expect(body.spec.strategy).toEqual({ type: 'Recreate' });
  });

  test('honours the resourceVersion of a patch', async () => {
    const { status } = await api.merge(`${deployments}/web`, {
      metadata: { resourceVersion: '1', labels: { x: 'y' } },
    });
    expect(status).toBe(409);
  });

  test('refuses a patch of no known kind', async () => {
    const { status } = await api.call('PATCH', `${deployments}/web`, {}, { type: 'application/x-patch' });
    expect(status).toBe(415);
  });
});
