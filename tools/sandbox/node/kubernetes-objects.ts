import { defineResource } from '@keelson/kubernetes';

/**
 * The parts of the Kubernetes objects that the node reads and writes, as they travel in JSON (times are RFC 3339
 * strings). Source: the API reference of core/v1, version 1.34.
 */

export type ObjectMeta = {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
};

export type KeySelector = { name?: string; key: string; optional?: boolean };

export type EnvironmentVariable = {
  name: string;
  value?: string;
  valueFrom?: {
    fieldRef?: { fieldPath: string };
    secretKeyRef?: KeySelector;
    configMapKeyRef?: KeySelector;
    resourceFieldRef?: { containerName?: string; resource: string };
  };
};

export type EnvironmentSource = {
  prefix?: string;
  configMapRef?: { name?: string; optional?: boolean };
  secretRef?: { name?: string; optional?: boolean };
};

export type Handler = {
  exec?: { command?: string[] };
  httpGet?: {
    path?: string;
    port: number | string;
    host?: string;
    scheme?: string;
    httpHeaders?: { name: string; value: string }[];
  };
  tcpSocket?: { port: number | string; host?: string };
  sleep?: { seconds: number };
  grpc?: unknown;
};

export type Probe = Handler & {
  initialDelaySeconds?: number;
  periodSeconds?: number;
  timeoutSeconds?: number;
  successThreshold?: number;
  failureThreshold?: number;
  terminationGracePeriodSeconds?: number;
};

export type ContainerPort = { name?: string; containerPort: number; protocol?: string; hostPort?: number };

export type VolumeMount = { name: string; mountPath: string; subPath?: string; readOnly?: boolean };

export type Container = {
  name: string;
  image?: string;
  command?: string[];
  args?: string[];
  workingDir?: string;
  env?: EnvironmentVariable[];
  envFrom?: EnvironmentSource[];
  ports?: ContainerPort[];
  volumeMounts?: VolumeMount[];
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  startupProbe?: Probe;
  lifecycle?: { preStop?: Handler; postStart?: Handler };
  /** Only init containers: `Always` makes a sidecar of it (KEP-753). */
  restartPolicy?: 'Always';
};

export type KeyToPath = { key: string; path: string; mode?: number };

export type Volume = {
  name: string;
  emptyDir?: object;
  secret?: { secretName?: string; items?: KeyToPath[]; optional?: boolean; defaultMode?: number };
  configMap?: { name?: string; items?: KeyToPath[]; optional?: boolean; defaultMode?: number };
  hostPath?: { path: string };
  projected?: object;
  [kind: string]: unknown;
};

export type PodSpec = {
  nodeName?: string;
  nodeSelector?: Record<string, string>;
  schedulerName?: string;
  schedulingGates?: unknown[];
  containers: Container[];
  initContainers?: Container[];
  volumes?: Volume[];
  restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  terminationGracePeriodSeconds?: number;
  serviceAccountName?: string;
  readinessGates?: { conditionType: string }[];
};

export type Condition = {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastProbeTime?: string | null;
  lastTransitionTime?: string | null;
};

export type TerminatedState = {
  exitCode: number;
  signal?: number;
  reason?: string;
  message?: string;
  startedAt?: string;
  finishedAt?: string;
  containerID?: string;
};

export type ContainerStateStatus = {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt?: string };
  terminated?: TerminatedState;
};

export type ContainerStatus = {
  name: string;
  state: ContainerStateStatus;
  lastState: ContainerStateStatus;
  ready: boolean;
  started?: boolean;
  restartCount: number;
  image: string;
  imageID: string;
  containerID?: string;
};

export type PodStatus = {
  phase?: string;
  conditions?: Condition[];
  hostIP?: string;
  podIP?: string;
  podIPs?: { ip: string }[];
  startTime?: string;
  initContainerStatuses?: ContainerStatus[];
  containerStatuses?: ContainerStatus[];
  qosClass?: string;
  reason?: string;
  message?: string;
};

export type Pod = { apiVersion?: string; kind?: string; metadata: ObjectMeta; spec: PodSpec; status?: PodStatus };

export type Node = {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  spec?: { podCIDR?: string; podCIDRs?: string[]; unschedulable?: boolean };
  status?: { conditions?: Condition[]; addresses?: { type: string; address: string }[] };
};

export type Secret = { metadata: ObjectMeta; data?: Record<string, string> };
export type ConfigMap = { metadata: ObjectMeta; data?: Record<string, string>; binaryData?: Record<string, string> };

/** The same resources as `@keelson/kubernetes` has, typed with the above. */
export const podResource = defineResource<Pod>({ apiVersion: 'v1', plural: 'pods', kind: 'Pod', namespaced: true });
export const nodeResource = defineResource<Node>({
  apiVersion: 'v1',
  plural: 'nodes',
  kind: 'Node',
  namespaced: false,
});
export const secretResource = defineResource<Secret>({
  apiVersion: 'v1',
  plural: 'secrets',
  kind: 'Secret',
  namespaced: true,
});
export const configMapResource = defineResource<ConfigMap>({
  apiVersion: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
});

/** `name_namespace(uid)`, as kubelet writes a pod in its messages. */
export const describePod = (pod: Pod): string =>
  `${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid ?? ''})`;
