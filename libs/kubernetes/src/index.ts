/** Kubernetes as this project uses it: a client, list-watch that resumes, server-side apply, leader election, Canary. */
export { KubernetesClient } from './client.ts';
export type {
  ApplyOptions,
  CallOptions,
  DeleteOptions,
  ListOptions,
  LogOptions,
  ObjectOptions,
  PatchOptions,
  Scale,
  SelectOptions,
  WriteOptions,
} from './options.ts';
export type { ApiRequest } from './requests.ts';
export type { ApplyOutcome, FieldConflict } from './apply.ts';
export {
  isAlreadyExists,
  isConflict,
  isGone,
  isNotFound,
  KubernetesError,
  KubernetesUnreachableError,
  type Cause,
} from './errors.ts';
export {
  accessFromEnvironment,
  accessFromKubeconfig,
  accessFromServiceAccount,
  type ClusterAccess,
  type TlsOptions,
} from './kubeconfig.ts';
export { apiVersionOf, defineResource, resourcePath, resources } from './resources.ts';
export type {
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  CoreEvent,
  CustomResourceDefinition,
  Deployment,
  Endpoints,
  EndpointSlice,
  EventsEvent,
  Ingress,
  IngressClass,
  Lease,
  Namespace,
  Node,
  Pod,
  ReplicaSet,
  Resource,
  Role,
  RoleBinding,
  Secret,
  Service,
  ServiceAccount,
} from './resources.ts';
export type {
  Condition,
  KubernetesList,
  KubernetesObject,
  ListMeta,
  ManagedFields,
  ObjectMeta,
  OwnerReference,
  Status,
  WatchEvent,
  WatchEventType,
  Wire,
} from './wire.ts';
export { listWhole, type WholeList } from './pages.ts';
export { eventName } from './event-name.ts';
export { ListWatch, type Gap, type ListWatchOptions, type ListWatchState } from './list-watch.ts';
export { Informer, type ChangeHandler, type InformerOptions } from './informer.ts';
export { LeaderElection, type LeaderElectionOptions } from './leader-election.ts';
export { canaryCustomResourceDefinition } from './canary/custom-resource-definition.ts';
export { installCustomResourceDefinition, type InstallOptions } from './canary/install.ts';
export { canaryGroup, canaryVersion, type CanaryResource, type CanaryStatus } from './canary/types.ts';
