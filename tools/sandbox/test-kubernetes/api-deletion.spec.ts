import { type TestCluster, eventually, testCluster } from '@keelson/testing';

import { configMap, pod } from './api-objects.ts';
import { type RawApi, rawApi } from './api-raw.ts';

let cluster: TestCluster;
let api: RawApi;
let namespace: string;
let core: string;
let maps: string;

beforeAll(async () => {
  cluster = await testCluster();
  api = rawApi(cluster.kubeconfig);
  namespace = await cluster.namespace();
  core = `/api/v1/namespaces/${namespace}`;
  maps = `${core}/configmaps`;
});
afterAll(async () => {
  api.close();
  await cluster.stop();
});

const gone = (path: string): Promise<unknown> =>
  eventually(async () => (await api.get(path)).status === 404, { describe: `${path} gone` });

/** An owner and what it owns. */
async function family(name: string, reference: object = {}): Promise<void> {
  const { body } = await api.post(maps, configMap(name));
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name, uid: body.metadata.uid, ...reference };
  await api.post(maps, configMap(`${name}-child`, {}, { ownerReferences: [owner] }));
}

describe('deleting', () => {
  test('answers with the uid of what is gone', async () => {
    const { body } = await api.post(maps, configMap('plain'));
    const deleted = await api.call('DELETE', `${maps}/plain`);
    expect(deleted.body).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: 'plain', kind: 'configmaps', uid: body.metadata.uid },
    });
    expect((await api.get(`${maps}/plain`)).status).toBe(404);
  });

  test('waits for finalizers, and takes no new ones meanwhile', async () => {
    await api.post(maps, configMap('held', {}, { finalizers: ['example.com/hold'] }));
    const { body } = await api.call('DELETE', `${maps}/held`);
    expect(body.metadata.deletionTimestamp).toBeDefined();
    const more = await api.merge(`${maps}/held`, {
      metadata: { finalizers: ['example.com/hold', 'example.com/more'] },
    });
    expect([more.status, more.body.details.causes[0].field]).toEqual([422, 'metadata.finalizers']);
    await api.merge(`${maps}/held`, { metadata: { finalizers: null } });
    expect((await api.get(`${maps}/held`)).status).toBe(404);
  });

  test('spares an object that is another by now', async () => {
    await api.post(maps, configMap('changed'));
    const body = { preconditions: { uid: '00000000-0000-0000-0000-000000000000' } };
    const { status } = await api.call('DELETE', `${maps}/changed`, body);
    expect(status).toBe(409);
    expect((await api.get(`${maps}/changed`)).status).toBe(200);
  });

  test('deletes all that a selector matches', async () => {
    for (const name of ['many-1', 'many-2']) await api.post(maps, configMap(name, {}, { labels: { many: 'yes' } }));
    await api.call('DELETE', `${maps}?labelSelector=many%3Dyes`);
    const { body } = await api.get(`${maps}?labelSelector=many%3Dyes`);
    expect(body.items).toEqual([]);
  });

  test('gives a pod that a node has its grace period, and one that none has none', async () => {
    await api.post(`${core}/pods`, pod('unbound'));
    await api.call('DELETE', `${core}/pods/unbound`);
    await gone(`${core}/pods/unbound`);

    await api.post(`${core}/pods`, pod('bound', { nodeName: 'no-such-node', terminationGracePeriodSeconds: 7 }));
    const { body } = await api.call('DELETE', `${core}/pods/bound`);
    expect(body.metadata.deletionGracePeriodSeconds).toBe(7);
    expect((await api.get(`${core}/pods/bound`)).body.metadata.deletionTimestamp).toBeDefined();
    await api.call('DELETE', `${core}/pods/bound?gracePeriodSeconds=0`);
    await gone(`${core}/pods/bound`);
  });
});

describe('owners', () => {
  test('take what they own along', async () => {
    await family('background');
    await api.call('DELETE', `${maps}/background`);
    await gone(`${maps}/background-child`);
  });

  test('wait for what they own in the foreground', async () => {
    await family('foreground', { blockOwnerDeletion: true });
    await api.merge(`${maps}/foreground-child`, { metadata: { finalizers: ['example.com/hold'] } });
    const { body } = await api.call('DELETE', `${maps}/foreground`, { propagationPolicy: 'Foreground' });
    expect(body.metadata.finalizers).toEqual(['foregroundDeletion']);
    await eventually(
      async () => (await api.get(`${maps}/foreground-child`)).body.metadata.deletionTimestamp !== undefined,
    );
    expect((await api.get(`${maps}/foreground`)).status).toBe(200);
    await api.merge(`${maps}/foreground-child`, { metadata: { finalizers: null } });
    await gone(`${maps}/foreground`);
  });

  test('leave what they own behind as orphans', async () => {
    await family('orphan');
    await api.call('DELETE', `${maps}/orphan`, { propagationPolicy: 'Orphan' });
    await gone(`${maps}/orphan`);
    const { body } = await api.get(`${maps}/orphan-child`);
    expect(body.metadata.ownerReferences).toBeUndefined();
  });

  test('keep an object that another of them still owns', async () => {
    await family('both');
    const { body: second } = await api.post(maps, configMap('both-other'));
    const { body: child } = await api.get(`${maps}/both-child`);
    const other = { apiVersion: 'v1', kind: 'ConfigMap', name: 'both-other', uid: second.metadata.uid };
    const ownerReferences = [...child.metadata.ownerReferences, other];
    await api.merge(`${maps}/both-child`, { metadata: { ownerReferences } });
    await api.call('DELETE', `${maps}/both`);
    await eventually(async () => (await api.get(`${maps}/both-child`)).body.metadata.ownerReferences?.length === 1);
    await api.call('DELETE', `${maps}/both-other`);
    await gone(`${maps}/both-child`);
  });

  test('that never were have nothing', async () => {
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'ghost', uid: '11111111-2222-3333-4444-555555555555' };
    await api.post(maps, configMap('ghost-child', {}, { ownerReferences: [owner] }));
    await gone(`${maps}/ghost-child`);
  });
});

describe('a namespace', () => {
  test('is emptied, refuses new objects meanwhile, and then is gone', async () => {
    const own = await cluster.namespace();
    const path = `/api/v1/namespaces/${own}`;
    await api.post(`${path}/configmaps`, configMap('held', {}, { finalizers: ['example.com/hold'] }));
    await api.post(`${path}/configmaps`, configMap('free'));
    const { body } = await api.call('DELETE', path);
    expect(body.status.phase).toBe('Terminating');
    const late = await api.post(`${path}/configmaps`, configMap('late'));
    expect([late.status, late.body.reason]).toEqual([403, 'Forbidden']);
    expect(late.body.message).toContain(
      `unable to create new content in namespace ${own} because it is being terminated`,
    );
    await gone(`${path}/configmaps/free`);
    expect((await api.get(path)).status).toBe(200);
    await api.merge(`${path}/configmaps/held`, { metadata: { finalizers: null } });
    await gone(path);
  });
});
