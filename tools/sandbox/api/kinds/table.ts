import { schemaOf } from '../schema/schema.ts';
import { customResourceDefinitions } from './crd.ts';
import { configMaps, secrets } from './data.ts';
import { coreEvents, eventsV1, fromCore, toCore } from './events.ts';
import { namespaces, nodes, serviceAccounts } from './cluster.ts';
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from './rbac.ts';
import { leases } from './leases.ts';
import { endpoints, endpointSlices } from './endpoints.ts';
import { ingressClasses, ingresses } from './ingresses.ts';
import { services } from './services.ts';
import { pods } from './pods.ts';
import { deployments, replicaSets } from './workloads.ts';
import type { Resource } from '../registry.ts';
import type { Strategy } from './strategy.ts';

type Row = [
  group: string,
  plural: string,
  kind: string,
  scope: 'Namespaced' | 'Cluster',
  strategy: Strategy,
  more?: Partial<Resource>,
];

const all = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const scale = { specPath: '.spec.replicas', statusPath: '.status.replicas', selectorPath: '.spec.selector' };

const rows: Row[] = [
  [
    '',
    'namespaces',
    'Namespace',
    'Cluster',
    namespaces,
    { shortNames: ['ns'], status: true, verbs: all.filter((v) => v !== 'deletecollection') },
  ],
  ['', 'nodes', 'Node', 'Cluster', nodes, { shortNames: ['no'], status: true }],
  ['', 'pods', 'Pod', 'Namespaced', pods, { shortNames: ['po'], categories: ['all'], status: true }],
  ['', 'services', 'Service', 'Namespaced', services, { shortNames: ['svc'], categories: ['all'], status: true }],
  ['', 'endpoints', 'Endpoints', 'Namespaced', endpoints, { shortNames: ['ep'], singular: 'endpoints' }],
  ['', 'configmaps', 'ConfigMap', 'Namespaced', configMaps, { shortNames: ['cm'] }],
  ['', 'secrets', 'Secret', 'Namespaced', secrets],
  ['', 'serviceaccounts', 'ServiceAccount', 'Namespaced', serviceAccounts, { shortNames: ['sa'] }],
  ['', 'events', 'Event', 'Namespaced', coreEvents, { shortNames: ['ev'] }],
  [
    'events.k8s.io',
    'events',
    'Event',
    'Namespaced',
    eventsV1,
    {
      shortNames: ['ev'],
      storage: '/events',
      view: { toStored: toCore, fromStored: fromCore },
      storedSchema: schemaOf('', 'v1', 'Event'),
    },
  ],
  [
    'apps',
    'deployments',
    'Deployment',
    'Namespaced',
    deployments,
    { shortNames: ['deploy'], categories: ['all'], status: true, scale },
  ],
  [
    'apps',
    'replicasets',
    'ReplicaSet',
    'Namespaced',
    replicaSets,
    { shortNames: ['rs'], categories: ['all'], status: true, scale },
  ],
  ['discovery.k8s.io', 'endpointslices', 'EndpointSlice', 'Namespaced', endpointSlices],
  [
    'networking.k8s.io',
    'ingresses',
    'Ingress',
    'Namespaced',
    ingresses,
    { shortNames: ['ing'], singular: 'ingress', status: true },
  ],
  ['networking.k8s.io', 'ingressclasses', 'IngressClass', 'Cluster', ingressClasses, { singular: 'ingressclass' }],
  ['coordination.k8s.io', 'leases', 'Lease', 'Namespaced', leases],
  ['rbac.authorization.k8s.io', 'roles', 'Role', 'Namespaced', roles],
  ['rbac.authorization.k8s.io', 'rolebindings', 'RoleBinding', 'Namespaced', roleBindings],
  ['rbac.authorization.k8s.io', 'clusterroles', 'ClusterRole', 'Cluster', clusterRoles],
  ['rbac.authorization.k8s.io', 'clusterrolebindings', 'ClusterRoleBinding', 'Cluster', clusterRoleBindings],
  [
    'apiextensions.k8s.io',
    'customresourcedefinitions',
    'CustomResourceDefinition',
    'Cluster',
    customResourceDefinitions,
    { shortNames: ['crd', 'crds'], categories: ['api-extensions'], status: true },
  ],
];

/** The built-in resources: one row each, all else (discovery, OpenAPI, routes, storage) is derived. */
export const builtIn: readonly Resource[] = rows.map(([group, plural, kind, scope, strategy, more]) => ({
  group,
  version: 'v1',
  plural,
  singular: kind.toLowerCase(),
  kind,
  listKind: `${kind}List`,
  namespaced: scope === 'Namespaced',
  shortNames: [],
  categories: [],
  verbs: all,
  status: false,
  storage: `${group}/${plural}`,
  schema: schemaOf(group, 'v1', kind),
  strategy: { unconditionalUpdate: true, ...strategy },
  ...more,
}));

/** What a real API server serves and the sandbox does not: asked for, it is refused by name. */
export const leftOut: Readonly<Record<string, readonly string[]>> = {
  '': [
    'componentstatuses',
    'limitranges',
    'persistentvolumeclaims',
    'persistentvolumes',
    'podtemplates',
    'replicationcontrollers',
    'resourcequotas',
  ],
  apps: ['controllerrevisions', 'daemonsets', 'statefulsets'],
  batch: ['*'],
  autoscaling: ['*'],
  policy: ['*'],
  'admissionregistration.k8s.io': ['*'],
  'apiregistration.k8s.io': ['*'],
  'certificates.k8s.io': ['*'],
  'flowcontrol.apiserver.k8s.io': ['*'],
  'networking.k8s.io': ['ipaddresses', 'networkpolicies', 'servicecidrs'],
  'node.k8s.io': ['*'],
  'resource.k8s.io': ['*'],
  'scheduling.k8s.io': ['*'],
  'storage.k8s.io': ['*'],
  'authorization.k8s.io': ['localsubjectaccessreviews', 'selfsubjectrulesreviews'],
};
