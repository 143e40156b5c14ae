import { Informer, KubernetesClient, resources, type ConfigMap, type CoreEvent } from '@keelson/kubernetes';
import { eventually, testCluster, type TestCluster } from '@keelson/testing';
import { record, stopRecorders } from './recorder.ts';

let cluster: TestCluster;
let client: KubernetesClient;

beforeAll(async () => {
  cluster = await testCluster();
  client = KubernetesClient.fromKubeconfig(cluster.kubeconfig);
});
afterEach(stopRecorders);
afterAll(async () => {
  client?.close();
  await cluster?.stop();
});

// Selected by a label, since every namespace of a real cluster has a ConfigMap with its root certificates.
const labels = { test: 'list-watch' };
const selected = (namespace: string) => ({
  client,
  resource: resources.configMaps,
  namespace,
  labelSelector: 'test=list-watch',
});
const create = (namespace: string, name: string): Promise<ConfigMap> =>
  client.create(resources.configMaps, { metadata: { name, namespace, labels } });
const touch = (namespace: string, name: string): Promise<ConfigMap> =>
  client.patch(resources.configMaps, { data: { touched: String(performance.now()) } }, { namespace, name });
const remove = (namespace: string, name: string): Promise<unknown> =>
  client.delete(resources.configMaps, { namespace, name });

const anEvent = (namespace: string, name: string): CoreEvent => ({
  metadata: { name, namespace },
  involvedObject: { kind: 'Pod', namespace, name: 'p' },
  reason: 'Tested',
  type: 'Normal',
});

test('first the list, then every change in order', async () => {
  const namespace = await cluster.namespace();
  await create(namespace, 'a');
  await create(namespace, 'b');
  const { watch, told, events } = record({ ...selected(namespace), pageSize: 1 });
  await eventually(() => told.length === 1);
  await create(namespace, 'c');
  await touch(namespace, 'a');
  await remove(namespace, 'b');
  await eventually(() => told.length === 4);
  expect(told).toEqual(['sync a,b', 'ADDED c', 'MODIFIED a', 'DELETED b']);
  expect(watch.resourceVersion).toBe(events.at(-1)?.resourceVersion);
  expect(watch.state).toBe('watching');
  await watch.stop();
  expect(watch.state).toBe('stopped');
  await create(namespace, 'd');
  expect(told).toHaveLength(4);
});

test('an object that no longer matches the selector is told as DELETED', async () => {
  const namespace = await cluster.namespace();
  await create(namespace, 'a');
  const { told } = record(selected(namespace));
  await eventually(() => told.length === 1);
  await client.patch(resources.configMaps, { metadata: { labels: { test: null } } }, { namespace, name: 'a' });
  await eventually(() => told.length === 2);
  expect(told).toEqual(['sync a', 'DELETED a']);
});

test('it goes on from a stored resourceVersion without a list, with all that happened in between', async () => {
  const namespace = await cluster.namespace();
  const first = record(selected(namespace));
  await eventually(() => first.told.length === 1);
  await create(namespace, 'seen');
  await eventually(() => first.told.length === 2);
  await first.watch.stop();
  await create(namespace, 'a');
  await touch(namespace, 'a');
  await remove(namespace, 'seen');
  const second = record({ ...selected(namespace), resourceVersion: first.watch.resourceVersion });
  await eventually(() => second.told.length === 3);
  expect(second.told).toEqual(['ADDED a', 'MODIFIED a', 'DELETED seen']);
});

test('an event whose handler fails comes again, and the ones after it after it', async () => {
  const namespace = await cluster.namespace();
  let failures = 2;
  const { told, errors } = record({
    ...selected(namespace),
    onEvent: () => {
      if (failures-- > 0) throw new Error('the database is away');
    },
  });
  await eventually(() => told.length === 1);
  await create(namespace, 'a');
  await create(namespace, 'b');
  await eventually(() => told.length === 3);
  expect(told).toEqual(['sync', 'ADDED a', 'ADDED b']);
  expect(errors.map(({ error }) => String(error))).toEqual([
    'Error: the database is away',
    'Error: the database is away',
  ]);
});

test('when the history was compacted away it says from where to where, and lists anew', async () => {
  const namespace = await cluster.namespace();
  const events = { client, resource: resources.events, namespace };
  const first = record(events);
  await eventually(() => first.told.length === 1);
  await client.create(resources.events, anEvent(namespace, 'seen'));
  await eventually(() => first.told.length === 2);
  await first.watch.stop();
  const stored = first.watch.resourceVersion ?? '';
  const storedAt = new Date('2026-01-02T03:04:05Z');
  const missed = await client.create(resources.events, anEvent(namespace, 'missed'));
  await client.create(resources.events, anEvent(namespace, 'lost'));
  await client.delete(resources.events, { namespace, name: 'lost' });
  await cluster.compact();

  const second = record({ ...events, resourceVersion: stored, resourceVersionAt: storedAt });
  await eventually(() => second.told.length === 2);
  expect(second.told).toEqual(['gap expired', 'sync missed,seen']);
  expect(second.gaps).toMatchObject([
    {
      cause: 'expired',
      from: { resourceVersion: stored, at: storedAt },
      to: { at: expect.any(Date) as Date },
      changed: 1,
    },
  ]);
  expect(Number(second.gaps[0]?.to.resourceVersion)).toBeGreaterThan(Number(missed.metadata?.resourceVersion));
  await client.create(resources.events, anEvent(namespace, 'next'));
  await eventually(() => second.told.length === 3);
  expect(second.told.at(-1)).toBe('ADDED next');
});

test('a version from the future, as after a restored backup, is a gap too instead of a silent wait', async () => {
  const namespace = await cluster.namespace();
  await client.create(resources.events, anEvent(namespace, 'a'));
  const { told, gaps } = record({
    client,
    resource: resources.events,
    namespace,
    resourceVersion: '987654321000',
  });
  await eventually(() => told.length === 2);
  expect(told).toEqual(['gap rewound', 'sync a']);
  expect(gaps[0]).toMatchObject({
    cause: 'rewound',
    from: { resourceVersion: '987654321000', at: undefined },
    changed: 1,
  });
  await client.create(resources.events, anEvent(namespace, 'b'));
  await eventually(() => told.length === 3);
});

test('an informer holds the present state and tells how it changed', async () => {
  const namespace = await cluster.namespace();
  await create(namespace, 'a');
  const informer = new Informer<ConfigMap>(selected(namespace));
  const told: string[] = [];
  const end = informer.onChange((type, object, previous) =>
    told.push(
      `${type} ${object.metadata?.name} ${previous?.data?.['touched'] === undefined ? 'untouched' : 'touched'}`,
    ),
  );
  expect(informer.hasSynced).toBe(false);
  informer.start();
  await informer.synced;
  expect(informer.get(namespace, 'a')?.metadata?.managedFields).toBeUndefined();
  await touch(namespace, 'a');
  await touch(namespace, 'a');
  await create(namespace, 'b');
  await remove(namespace, 'a');
  await eventually(() => told.length === 5);
  expect(told).toEqual([
    'ADDED a untouched',
    'MODIFIED a untouched',
    'MODIFIED a touched',
    'ADDED b untouched',
    'DELETED a touched',
  ]);
  expect(informer.list(namespace).map((object) => object.metadata?.name)).toEqual(['b']);
  expect(informer.list('elsewhere')).toEqual([]);
  end();
  await create(namespace, 'c');
  await eventually(() => informer.get(namespace, 'c'));
  expect(told).toHaveLength(5);
  await informer.stop();
});
