import { accessFromKubeconfig, KubernetesClient, resources, type ClusterAccess } from '@keelson/kubernetes';
import { eventually, testCluster, type TestCluster } from '@keelson/testing';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tokenFile } from '../src/credentials.ts';

let cluster: TestCluster;
let admin: KubernetesClient;
let namespace: string;
const folder = mkdtempSync(join(tmpdir(), 'keelson-token-'));

beforeAll(async () => {
  cluster = await testCluster();
  admin = KubernetesClient.fromKubeconfig(cluster.kubeconfig);
  namespace = await cluster.namespace();
  await admin.create(resources.serviceAccounts, { metadata: { name: 'reader', namespace } });
  await admin.create(resources.roles, {
    metadata: { name: 'read-config', namespace },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] }],
  });
  await admin.create(resources.roleBindings, {
    metadata: { name: 'reader-reads-config', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'read-config' },
    subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace }],
  });
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  admin?.close();
  await cluster?.stop();
});

async function newToken(): Promise<string> {
  const { status } = await admin.request<{ status: { token: string } }>({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/reader/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
  });
  return status.token;
}

/** The same server, without the administrator's certificate, with the token of a file. */
function withTokenOf(path: string): ClusterAccess {
  const access = accessFromKubeconfig(cluster.kubeconfig);
  const { ca } = access.tls();
  return { ...access, tls: () => ({ ...(ca && { ca }) }), credentials: tokenFile(path) };
}

test('a service account may do what its role says, and nothing else', async () => {
  const path = join(folder, 'token');
  writeFileSync(path, await newToken());
  const reader = new KubernetesClient(withTokenOf(path));
  // The authorizer learns of a new role a moment later.
  await eventually(() => reader.list(resources.configMaps, { namespace }));
  const refused = { status: 403, reason: 'Forbidden' };
  await expect(reader.create(resources.configMaps, { metadata: { name: 'a', namespace } })).rejects.toMatchObject(
    refused,
  );
  await expect(reader.list(resources.secrets, { namespace })).rejects.toMatchObject(refused);
  await expect(reader.list(resources.configMaps)).rejects.toMatchObject(refused);
  reader.close();
});

test('a token that was renewed in its file is used at the next refusal, without the caller noticing', async () => {
  const path = join(folder, 'renewed');
  writeFileSync(path, 'no-longer-valid');
  const reader = new KubernetesClient(withTokenOf(path));
  await expect(reader.list(resources.configMaps, { namespace })).rejects.toMatchObject({ status: 401 });
  writeFileSync(path, await newToken());
  await eventually(() => reader.list(resources.configMaps, { namespace }));
  reader.close();
});
