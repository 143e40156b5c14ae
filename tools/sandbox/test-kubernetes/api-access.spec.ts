import { type TestCluster, eventually, testCluster } from '@keelson/testing';

import { configMap } from './api-objects.ts';
import { type Answer, type RawApi, rawApi } from './api-raw.ts';

let cluster: TestCluster;
let api: RawApi;
let namespace: string;
let core: string;
let rbac: string;
let token: string;

beforeAll(async () => {
  cluster = await testCluster();
  api = rawApi(cluster.kubeconfig);
  namespace = await cluster.namespace();
  core = `/api/v1/namespaces/${namespace}`;
  rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  await api.post(`${core}/serviceaccounts`, { metadata: { name: 'reader' } });
  const issued = await api.post(`${core}/serviceaccounts/reader/token`, { spec: { expirationSeconds: 600 } });
  token = issued.body.status.token;
  await api.post(`${core}/configmaps`, configMap('open'));
  await api.post(`${core}/configmaps`, configMap('closed'));
});
afterAll(async () => {
  api.close();
  await cluster.stop();
});

const asReader = (method: string, path: string, body?: unknown): Promise<Answer> =>
  api.call(method, path, body, { token });

const grant = async (name: string, rules: object[]): Promise<void> => {
  await api.post(`${rbac}/roles`, { metadata: { name }, rules });
  await api.post(`${rbac}/rolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace }],
  });
};

/** RBAC sees a new binding a moment after it is stored: an allowed request is asked until it is. */
const allowed = (method: string, path: string, body?: unknown): Promise<number> =>
  eventually(async () => {
    const { status } = await asReader(method, path, body);
    return status !== 403 && status;
  });

describe('access', () => {
  test('is denied to a token that nobody issued', async () => {
    const { status, body } = await api.get(`${core}/pods`, { token: 'made-up' });
    expect([status, body.reason]).toEqual([401, 'Unauthorized']);
  });

  test('is denied to a service account without a role, and says to what', async () => {
    const { status, body } = await asReader('GET', `${core}/secrets`);
    expect([status, body.reason, body.message]).toEqual([
      403,
      'Forbidden',
      `secrets is forbidden: User "system:serviceaccount:${namespace}:reader" cannot list resource "secrets" in API group "" in the namespace "${namespace}"`,
    ]);
  });

  test('is granted by a Role for its verbs, its names and its namespace only', async () => {
    await grant('one-name', [{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['open'], verbs: ['get'] }]);
    expect(await allowed('GET', `${core}/configmaps/open`)).toBe(200);
    expect((await asReader('GET', `${core}/configmaps/closed`)).status).toBe(403);
    expect((await asReader('GET', `${core}/configmaps`)).status).toBe(403);
    expect((await asReader('DELETE', `${core}/configmaps/open`)).status).toBe(403);
    expect((await asReader('GET', '/api/v1/namespaces/default/configmaps/open')).status).toBe(403);
  });

  test('tells a subresource from its resource', async () => {
    await grant('status-only', [{ apiGroups: ['apps'], resources: ['deployments/status'], verbs: ['get'] }]);
    const at = `/apis/apps/v1/namespaces/${namespace}/deployments/none`;
    expect(await allowed('GET', `${at}/status`)).toBe(404);
    expect((await asReader('GET', at)).status).toBe(403);
  });

  test('grants everything by a wildcard', async () => {
    await grant('leases', [{ apiGroups: ['coordination.k8s.io'], resources: ['*'], verbs: ['*'] }]);
    const lease = { metadata: { name: 'mine' }, spec: { holderIdentity: 'me' } };
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
    expect(await allowed('POST', leases, lease)).toBe(201);
    expect((await asReader('DELETE', `${leases}/mine`)).status).toBe(200);
  });

  test('is reviewed without being used', async () => {
    const ask = async (resource: string): Promise<boolean> => {
      const spec = { resourceAttributes: { namespace, verb: 'get', resource, name: 'open' } };
      const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec };
      const { body } = await asReader('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review);
      return body.status.allowed;
    };
    await grant('reviewed', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }]);
    await eventually(() => ask('configmaps'));
    expect(await ask('secrets')).toBe(false);
  });

  test('lets whoever has a token discover, and whoever asks see the health', async () => {
    expect((await asReader('GET', '/apis')).status).toBe(200);
    expect((await asReader('GET', '/version')).body.major).toBe('1');
    for (const path of ['/healthz', '/readyz', '/livez']) {
      expect((await api.get(path, { token: '' })).body).toBe('ok');
    }
  });

  test('ends with the service account', async () => {
    await api.post(`${core}/serviceaccounts`, { metadata: { name: 'leaver' } });
    const { body } = await api.post(`${core}/serviceaccounts/leaver/token`, { spec: {} });
    expect(body.status.token.split('.')).toHaveLength(3);
    const left = { token: body.status.token };
    expect((await api.get('/version', left)).status).toBe(200);
    await api.call('DELETE', `${core}/serviceaccounts/leaver`);
    // A real API server remembers a good token for some seconds.
    await eventually(async () => (await api.get('/version', left)).status === 401);
  });
});
