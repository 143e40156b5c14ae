import type {
  CoreV1Event,
  EventsV1Event,
  V1ClusterRole,
  V1ClusterRoleBinding,
  V1ConfigMap,
  V1CustomResourceDefinition,
  V1Deployment,
  V1Endpoints,
  V1EndpointSlice,
  V1Ingress,
  V1IngressClass,
  V1Lease,
  V1Namespace,
  V1Node,
  V1Pod,
  V1ReplicaSet,
  V1Role,
  V1RoleBinding,
  V1Secret,
  V1Service,
  V1ServiceAccount,
} from '@kubernetes/client-node';
import type { CanaryResource } from './canary/types.ts';
import type { KubernetesObject, Wire } from './wire.ts';

/** Which collection of the API an object lives in. `T` is the object's type; it exists for the compiler only. */
export type Resource<T = KubernetesObject> = {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Never there: carries T. A method, so that a caller's narrower or wider type is taken too. */
  carries?(object: T): void;
};

export type Pod = Wire<V1Pod>;
export type Service = Wire<V1Service>;
export type Deployment = Wire<V1Deployment>;
export type ReplicaSet = Wire<V1ReplicaSet>;
export type CoreEvent = Wire<CoreV1Event>;
export type EventsEvent = Wire<EventsV1Event>;
export type Secret = Wire<V1Secret>;
export type ConfigMap = Wire<V1ConfigMap>;
export type Endpoints = Wire<V1Endpoints>;
export type EndpointSlice = Wire<V1EndpointSlice>;
export type Ingress = Wire<V1Ingress>;
export type IngressClass = Wire<V1IngressClass>;
export type Lease = Wire<V1Lease>;
export type Namespace = Wire<V1Namespace>;
export type Node = Wire<V1Node>;
export type ServiceAccount = Wire<V1ServiceAccount>;
export type Role = Wire<V1Role>;
export type RoleBinding = Wire<V1RoleBinding>;
export type ClusterRole = Wire<V1ClusterRole>;
export type ClusterRoleBinding = Wire<V1ClusterRoleBinding>;
/** Without its schema's inside: client-node names `x-kubernetes-...` fields otherwise than the API. */
export type CustomResourceDefinition = Omit<Wire<Omit<V1CustomResourceDefinition, 'spec'>>, 'spec'> & {
  spec: {
    group: string;
    names: {
      plural: string;
      singular: string;
      kind: string;
      listKind?: string;
      shortNames?: string[];
      categories?: string[];
    };
    scope: 'Namespaced' | 'Cluster';
    versions: {
      name: string;
      served: boolean;
      storage: boolean;
      schema: { openAPIV3Schema: object };
      subresources?: object;
      additionalPrinterColumns?: {
        name: string;
        type: string;
        jsonPath: string;
        description?: string;
        priority?: number;
      }[];
    }[];
  };
};

const namespaced = <T>(apiVersion: string, plural: string, kind: string): Resource<T> =>
  defineResource<T>({ apiVersion, plural, kind, namespaced: true });
const clusterWide = <T>(apiVersion: string, plural: string, kind: string): Resource<T> =>
  defineResource<T>({ apiVersion, plural, kind, namespaced: false });

/** A resource of any group: `defineResource({ apiVersion: 'batch/v1', plural: 'jobs', kind: 'Job', namespaced: true })`. */
export function defineResource<T = KubernetesObject>(options: {
  apiVersion: string;
  plural: string;
  kind: string;
  namespaced: boolean;
}): Resource<T> {
  const [first = '', second] = options.apiVersion.split('/');
  return {
    group: second === undefined ? '' : first,
    version: second ?? first,
    plural: options.plural,
    kind: options.kind,
    namespaced: options.namespaced,
  };
}

/** The resources this project works with. */
export const resources = {
  pods: namespaced<Pod>('v1', 'pods', 'Pod'),
  services: namespaced<Service>('v1', 'services', 'Service'),
  /** core/v1 Events. */
  events: namespaced<CoreEvent>('v1', 'events', 'Event'),
  secrets: namespaced<Secret>('v1', 'secrets', 'Secret'),
  configMaps: namespaced<ConfigMap>('v1', 'configmaps', 'ConfigMap'),
  endpoints: namespaced<Endpoints>('v1', 'endpoints', 'Endpoints'),
  serviceAccounts: namespaced<ServiceAccount>('v1', 'serviceaccounts', 'ServiceAccount'),
  namespaces: clusterWide<Namespace>('v1', 'namespaces', 'Namespace'),
  nodes: clusterWide<Node>('v1', 'nodes', 'Node'),
  deployments: namespaced<Deployment>('apps/v1', 'deployments', 'Deployment'),
  replicaSets: namespaced<ReplicaSet>('apps/v1', 'replicasets', 'ReplicaSet'),
  /** events.k8s.io/v1 Events. */
  eventsV1: namespaced<EventsEvent>('events.k8s.io/v1', 'events', 'Event'),
  endpointSlices: namespaced<EndpointSlice>('discovery.k8s.io/v1', 'endpointslices', 'EndpointSlice'),
  ingresses: namespaced<Ingress>('networking.k8s.io/v1', 'ingresses', 'Ingress'),
  ingressClasses: clusterWide<IngressClass>('networking.k8s.io/v1', 'ingressclasses', 'IngressClass'),
  leases: namespaced<Lease>('coordination.k8s.io/v1', 'leases', 'Lease'),
  roles: namespaced<Role>('rbac.authorization.k8s.io/v1', 'roles', 'Role'),
  roleBindings: namespaced<RoleBinding>('rbac.authorization.k8s.io/v1', 'rolebindings', 'RoleBinding'),
  clusterRoles: clusterWide<ClusterRole>('rbac.authorization.k8s.io/v1', 'clusterroles', 'ClusterRole'),
  clusterRoleBindings: clusterWide<ClusterRoleBinding>(
    'rbac.authorization.k8s.io/v1',
    'clusterrolebindings',
    'ClusterRoleBinding',
  ),
  customResourceDefinitions: clusterWide<CustomResourceDefinition>(
    'apiextensions.k8s.io/v1',
    'customresourcedefinitions',
    'CustomResourceDefinition',
  ),
  canaries: namespaced<CanaryResource>('keelson.dev/v1alpha1', 'canaries', 'Canary'),
} as const;

/** `v1` or `group/version`, as an object's apiVersion says it. */
export function apiVersionOf(resource: Resource<never>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** The URL path of a collection, or of one object in it when `name` is given. */
export function resourcePath(
  resource: Resource<never>,
  at: { namespace?: string | undefined; name?: string | undefined; subresource?: string | undefined },
): string {
  const parts = resource.group === '' ? ['api', resource.version] : ['apis', resource.group, resource.version];
  if (resource.namespaced && at.namespace !== undefined) parts.push('namespaces', at.namespace);
  parts.push(resource.plural);
  if (at.name !== undefined) parts.push(at.name);
  if (at.subresource !== undefined) parts.push(at.subresource);
  return `/${parts.map(encodeURIComponent).join('/')}`;
}
