import { KubernetesClient, resources, type ConfigMap } from '@keelson/kubernetes';
import { testCluster, type TestCluster } from '@keelson/testing';

let cluster: TestCluster;
let client: KubernetesClient;
let namespace: string;

beforeAll(async () => {
  cluster = await testCluster();
  client = KubernetesClient.fromKubeconfig(cluster.kubeconfig);
  namespace = await cluster.namespace();
});
afterAll(async () => {
  client?.close();
  await cluster?.stop();
});

const aConfigMap = (name: string, data: Record<string, string>): ConfigMap => ({ metadata: { name, namespace }, data });
const owners = (object: ConfigMap): Set<string | undefined> =>
  new Set(object.metadata?.managedFields?.map((field) => field.manager));

test('what is not there is created, and again is no change', async () => {
  const first = await client.apply(resources.configMaps, aConfigMap('made', { a: '1' }), { fieldManager: 'one' });
  if (first.kind !== 'applied') throw new Error('refused');
  expect(first.object.data).toEqual({ a: '1' });
  const again = await client.apply(resources.configMaps, aConfigMap('made', { a: '1' }), { fieldManager: 'one' });
  if (again.kind !== 'applied') throw new Error('refused');
  expect(again.object.metadata?.resourceVersion).toBe(first.object.metadata?.resourceVersion);
});

test('a field of another manager is a conflict that names both, and nothing is written', async () => {
  await client.apply(resources.configMaps, aConfigMap('disputed', { a: '1', b: '1' }), { fieldManager: 'one' });
  const outcome = await client.apply(resources.configMaps, aConfigMap('disputed', { a: '2', c: '2' }), {
    fieldManager: 'two',
  });
  expect(outcome).toMatchObject({ kind: 'conflict', causes: [{ field: '.data.a', manager: 'one' }] });
  expect((await client.get(resources.configMaps, { namespace, name: 'disputed' })).data).toEqual({ a: '1', b: '1' });
});

test('force takes the field over; its former owner then meets the conflict', async () => {
  await client.apply(resources.configMaps, aConfigMap('taken', { a: '1' }), { fieldManager: 'one' });
  const taken = await client.apply(resources.configMaps, aConfigMap('taken', { a: '2' }), {
    fieldManager: 'two',
    force: true,
  });
  expect(taken).toMatchObject({ kind: 'applied', object: { data: { a: '2' } } });
  const back = await client.apply(resources.configMaps, aConfigMap('taken', { a: '1' }), { fieldManager: 'one' });
  expect(back).toMatchObject({ kind: 'conflict', causes: [{ field: '.data.a', manager: 'two' }] });
});

test('managers with the same value share a field', async () => {
  await client.apply(resources.configMaps, aConfigMap('shared', { a: '1' }), { fieldManager: 'one' });
  const both = await client.apply(resources.configMaps, aConfigMap('shared', { a: '1' }), { fieldManager: 'two' });
  if (both.kind !== 'applied') throw new Error('refused');
  expect(owners(both.object)).toEqual(new Set(['one', 'two']));
});

test('a field that its manager no longer applies goes; the fields of others stay', async () => {
  await client.apply(resources.configMaps, aConfigMap('shrinking', { a: '1', b: '1' }), { fieldManager: 'one' });
  await client.apply(resources.configMaps, aConfigMap('shrinking', { c: '2' }), { fieldManager: 'two' });
  const less = await client.apply(resources.configMaps, aConfigMap('shrinking', { a: '1' }), { fieldManager: 'one' });
  expect(less).toMatchObject({ kind: 'applied', object: { data: { a: '1', c: '2' } } });
  if (less.kind === 'applied') expect(less.object.data).not.toHaveProperty('b');
});

test('a dry run tells the outcome and leaves everything as it is', async () => {
  await client.apply(resources.configMaps, aConfigMap('dry', { a: '1' }), { fieldManager: 'one' });
  const tried = await client.apply(resources.configMaps, aConfigMap('dry', { a: '2' }), {
    fieldManager: 'one',
    dryRun: true,
  });
  expect(tried).toMatchObject({ kind: 'applied', object: { data: { a: '2' } } });
  expect((await client.get(resources.configMaps, { namespace, name: 'dry' })).data).toEqual({ a: '1' });
});

test('a change by an update owns its field too', async () => {
  const outcome = await client.apply(resources.configMaps, aConfigMap('updated', { a: '1' }), { fieldManager: 'one' });
  if (outcome.kind !== 'applied') throw new Error('refused');
  await client.replace(resources.configMaps, { ...outcome.object, data: { a: '3' } }, { fieldManager: 'editor' });
  const next = await client.apply(resources.configMaps, aConfigMap('updated', { a: '1' }), { fieldManager: 'one' });
  expect(next).toMatchObject({ kind: 'conflict', causes: [{ field: '.data.a', manager: 'editor' }] });
});

test('lists with keys are merged by their keys, not replaced', async () => {
  const container = (image: string) => ({ name: 'main', image });
  const deployment = (spec: object) => ({ metadata: { name: 'merged', namespace }, spec }) as never;
  const whole = {
    replicas: 0,
    selector: { matchLabels: { app: 'merged' } },
    template: { metadata: { labels: { app: 'merged' } }, spec: { containers: [container('one')] } },
  };
  await client.apply(resources.deployments, deployment(whole), { fieldManager: 'one' });
  const sidecar = { template: { spec: { containers: [{ name: 'sidecar', image: 'two' }] } } };
  const merged = await client.apply(resources.deployments, deployment(sidecar), { fieldManager: 'two' });
  if (merged.kind !== 'applied') throw new Error('refused');
  expect(merged.object.spec?.template.spec?.containers.map(({ name, image }) => `${name}=${image}`)).toEqual([
    'main=one',
    'sidecar=two',
  ]);
});
