import type { Cluster } from './core/cluster.ts';
import { create } from './core/write.ts';
import type { Json } from './json.ts';
import type { Resource } from './registry.ts';

const rbac = 'rbac.authorization.k8s.io';

const clusterRole = (name: string, rules: Json[]): Json => ({ kind: 'ClusterRole', metadata: { name }, rules });
const bindingTo = (name: string, role: string, groups: string[]): Json => ({
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
  subjects: groups.map((group) => ({ kind: 'Group', name: group })),
});

const readVerbs = ['get', 'list', 'watch'];
const writeVerbs = ['create', 'delete', 'deletecollection', 'patch', 'update'];
const workloadRules = (verbs: string[]): Json[] => [
  {
    apiGroups: [''],
    resources: ['pods', 'pods/log', 'services', 'endpoints', 'configmaps', 'serviceaccounts', 'events'],
    verbs,
  },
  { apiGroups: ['apps'], resources: ['deployments', 'deployments/scale', 'replicasets', 'replicasets/scale'], verbs },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: readVerbs },
];
const secretRules = (verbs: string[]): Json => ({ apiGroups: [''], resources: ['secrets'], verbs });

/** The roles that a real API server brings along, as far as they are of use here, and its first namespaces. */
const objects: Json[] = [
  clusterRole('cluster-admin', [
    { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
    { nonResourceURLs: ['*'], verbs: ['*'] },
  ]),
  clusterRole('view', workloadRules(readVerbs)),
  clusterRole('edit', [...workloadRules([...readVerbs, ...writeVerbs]), secretRules([...readVerbs, ...writeVerbs])]),
  clusterRole('admin', [
    ...workloadRules([...readVerbs, ...writeVerbs]),
    secretRules([...readVerbs, ...writeVerbs]),
    { apiGroups: [rbac], resources: ['roles', 'rolebindings'], verbs: [...readVerbs, ...writeVerbs] },
  ]),
  clusterRole('system:discovery', [
    {
      nonResourceURLs: [
        '/api',
        '/api/*',
        '/apis',
        '/apis/*',
        '/healthz',
        '/livez',
        '/openapi',
        '/openapi/*',
        '/readyz',
        '/version',
        '/version/',
      ],
      verbs: ['get'],
    },
  ]),
  clusterRole('system:public-info-viewer', [
    { nonResourceURLs: ['/healthz', '/livez', '/readyz', '/version', '/version/'], verbs: ['get'] },
  ]),
  clusterRole('system:basic-user', [
    { apiGroups: ['authorization.k8s.io'], resources: ['selfsubjectaccessreviews'], verbs: ['create'] },
    { apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
  ]),
  bindingTo('cluster-admin', 'cluster-admin', ['system:masters']),
  bindingTo('system:discovery', 'system:discovery', ['system:authenticated']),
  bindingTo('system:basic-user', 'system:basic-user', ['system:authenticated']),
  bindingTo('system:public-info-viewer', 'system:public-info-viewer', [
    'system:authenticated',
    'system:unauthenticated',
  ]),
  ...['default', 'kube-system', 'kube-public', 'kube-node-lease'].map((name) => ({
    kind: 'Namespace',
    metadata: { name },
  })),
];

export function bootstrap(cluster: Cluster): void {
  for (const object of objects) {
    const group = object.kind === 'Namespace' ? '' : rbac;
    const resource = cluster.registry.all().find((r) => r.group === group && r.kind === object.kind) as Resource;
    create(cluster, resource, undefined, object, { manager: 'kube-apiserver', fieldValidation: 'Strict' });
  }
}
