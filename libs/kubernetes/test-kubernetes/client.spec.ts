import {
  isAlreadyExists,
  isConflict,
  isNotFound,
  KubernetesClient,
  KubernetesError,
  listWhole,
  resources,
  type ConfigMap,
} from '@keelson/kubernetes';
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

const aConfigMap = (name: string, data: Record<string, string> = { colour: 'red' }): ConfigMap => ({
  metadata: { name, namespace },
  data,
});
const aDeployment = (name: string) => ({
  metadata: { name, namespace },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'none' }] } },
  },
});

async function refusal(call: Promise<unknown>): Promise<KubernetesError> {
  const error = await call.then(
    () => new Error('was not refused'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof KubernetesError)) throw error;
  return error;
}

test('an object is created, read, replaced, patched and deleted', async () => {
  const created = await client.create(resources.configMaps, aConfigMap('life'));
  expect(created.metadata?.uid).toBeDefined();
  const read = await client.get(resources.configMaps, { namespace, name: 'life' });
  expect(read).toEqual(created);
  const replaced = await client.replace(resources.configMaps, { ...read, data: { colour: 'blue' } });
  expect(replaced.data).toEqual({ colour: 'blue' });
  const patched = await client.patch(resources.configMaps, { data: { size: 'big' } }, { namespace, name: 'life' });
  expect(patched.data).toEqual({ colour: 'blue', size: 'big' });
  await client.delete(resources.configMaps, { namespace, name: 'life' });
  expect(await client.find(resources.configMaps, { namespace, name: 'life' })).toBeUndefined();
});

test('a JSON patch tests before it writes', async () => {
  await client.create(resources.configMaps, aConfigMap('tested'));
  const patch = (expected: string) =>
    client.patch(
      resources.configMaps,
      [
        { op: 'test', path: '/data/colour', value: expected },
        { op: 'replace', path: '/data/colour', value: 'green' },
      ],
      { namespace, name: 'tested', type: 'json' },
    );
  expect((await refusal(patch('blue'))).status).toBe(422);
  expect((await patch('red')).data).toEqual({ colour: 'green' });
});

test('what is not there, is there already, or was changed meanwhile is told apart', async () => {
  const name = 'refusals';
  expect(isNotFound(await refusal(client.get(resources.configMaps, { namespace, name })))).toBe(true);
  const first = await client.create(resources.configMaps, aConfigMap(name));
  expect(isAlreadyExists(await refusal(client.create(resources.configMaps, aConfigMap(name))))).toBe(true);
  await client.replace(resources.configMaps, { ...first, data: { colour: 'blue' } });
  const late = await refusal(client.replace(resources.configMaps, { ...first, data: { colour: 'green' } }));
  expect(isConflict(late)).toBe(true);
  expect(isAlreadyExists(late)).toBe(false);
});

test('an update reads again and repeats when another writer was faster', async () => {
  const name = 'counted';
  await client.create(resources.configMaps, aConfigMap(name, { count: '0' }));
  const increment = () =>
    client.update(resources.configMaps, { namespace, name, attempts: 50 }, (current) => ({
      ...current,
      data: { count: String(Number(current.data?.['count']) + 1) },
    }));
  await Promise.all(Array.from({ length: 8 }, increment));
  expect((await client.get(resources.configMaps, { namespace, name })).data).toEqual({ count: '8' });
});

test('lists are paged, selected, and whole when asked for', async () => {
  const own = await cluster.namespace();
  for (let i = 0; i < 7; i++) {
    await client.create(resources.configMaps, {
      metadata: { name: `page-${i}`, namespace: own, labels: { odd: String(i % 2) } },
    });
  }
  const selected = { namespace: own, labelSelector: 'odd' };
  const page = await client.list(resources.configMaps, { ...selected, limit: 3 });
  expect(page.items).toHaveLength(3);
  expect(page.metadata.remainingItemCount ?? 4).toBe(4);
  const next = await client.list(resources.configMaps, { ...selected, limit: 3, continue: page.metadata.continue });
  expect(next.metadata.resourceVersion).toBe(page.metadata.resourceVersion);
  const whole = await listWhole(client, resources.configMaps, { ...selected, pageSize: 2 });
  expect(whole.items.map((item) => item.metadata?.name)).toEqual([0, 1, 2, 3, 4, 5, 6].map((i) => `page-${i}`));
  expect(whole.items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
  const odd = await client.list(resources.configMaps, { namespace: own, labelSelector: 'odd=1' });
  expect(odd.items).toHaveLength(3);
  const one = await client.list(resources.configMaps, { namespace: own, fieldSelector: 'metadata.name=page-4' });
  expect(one.items.map((item) => item.metadata?.name)).toEqual(['page-4']);
  const everywhere = await client.list(resources.configMaps, { labelSelector: 'odd' });
  expect(everywhere.items.length).toBeGreaterThanOrEqual(7);
});

test('a dry run is checked and answered but not stored', async () => {
  const answered = await client.create(resources.configMaps, aConfigMap('dry'), { dryRun: true });
  expect(answered.metadata?.uid).toBeDefined();
  expect(await client.find(resources.configMaps, { namespace, name: 'dry' })).toBeUndefined();
});

test('an invalid object is refused with the fields at fault', async () => {
  const bad = await refusal(client.create(resources.configMaps, { metadata: { name: 'Not_A_Name', namespace } }));
  expect(bad.status).toBe(422);
  expect(bad.causes.map((cause) => cause.field)).toContain('metadata.name');
});

test('an unknown field is refused by its name, unless that is not wanted', async () => {
  const odd = { ...aConfigMap('unknown'), date: { colour: 'red' } };
  const error = await refusal(client.create(resources.configMaps, odd));
  expect(error.status).toBe(400);
  expect(error.message).toContain('unknown field "date"');
  await client.create(resources.configMaps, odd, { fieldValidation: 'Ignore' });
});

test('the status is written apart from the rest', async () => {
  const name = 'status';
  const created = await client.create(resources.deployments, aDeployment(name));
  const written = await client
    .replaceStatus(resources.deployments, {
      ...created,
      spec: { ...aDeployment(name).spec, replicas: 7 },
      status: { ...created.status, collisionCount: 3 },
    })
    .catch(async (error: unknown) => {
      if (!isConflict(error)) throw error;
      // A controller was faster; the merge patch below says the same without a version.
      return client.patchStatus(
        resources.deployments,
        { spec: { replicas: 7 }, status: { collisionCount: 3 } },
        { namespace, name },
      );
    });
  expect(written.spec?.replicas).toBe(0);
  expect(written.status?.collisionCount).toBe(3);
});

test('scale reads and sets the replicas alone', async () => {
  const name = 'scaled';
  await client.create(resources.deployments, aDeployment(name));
  const before = await client.getScale(resources.deployments, { namespace, name });
  expect(before.spec?.replicas ?? 0).toBe(0); // the API leaves zero out
  const scaled = await client.setScale(resources.deployments, 2, { namespace, name });
  expect(scaled.spec?.replicas).toBe(2);
  expect((await client.get(resources.deployments, { namespace, name })).spec?.replicas).toBe(2);
  await client.setScale(resources.deployments, 0, { namespace, name });
});

test('a delete with a precondition spares what was made anew under the same name', async () => {
  const name = 'anew';
  const old = await client.create(resources.configMaps, aConfigMap(name));
  await client.delete(resources.configMaps, { namespace, name });
  await client.create(resources.configMaps, aConfigMap(name));
  const spared = client.delete(resources.configMaps, {
    namespace,
    name,
    preconditions: { uid: old.metadata?.uid ?? '' },
  });
  expect((await refusal(spared)).status).toBe(409);
  expect(await client.find(resources.configMaps, { namespace, name })).toBeDefined();
});

test('a collection is deleted by its labels', async () => {
  const make = (name: string, keep: string) =>
    client.create(resources.configMaps, { metadata: { name, namespace, labels: { keep } } });
  await Promise.all([make('many-1', 'no'), make('many-2', 'no'), make('many-3', 'yes')]);
  await client.deleteCollection(resources.configMaps, { namespace, labelSelector: 'keep=no' });
  const left = await client.list(resources.configMaps, { namespace, labelSelector: 'keep' });
  expect(left.items.map((item) => item.metadata?.name)).toEqual(['many-3']);
});

test('a call ends when it is aborted', async () => {
  const reason = new Error('no longer wanted');
  await expect(client.get(resources.namespaces, { name: namespace, signal: AbortSignal.abort(reason) })).rejects.toBe(
    reason,
  );
});
