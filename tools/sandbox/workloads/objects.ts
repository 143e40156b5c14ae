import type { OwnerReference } from '@keelson/kubernetes';

/** The shapes that the controllers work on. What the API server defaults or fills in is not optional here. */
export interface Meta {
  name: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
  generation?: number;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
}

export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: object;
}

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  lastUpdateTime?: string;
}

export interface DeploymentObject {
  metadata: Meta;
  spec: {
    replicas: number;
    selector: LabelSelector;
    template: PodTemplate;
    strategy: {
      type: 'RollingUpdate' | 'Recreate';
      rollingUpdate?: { maxSurge: number | string; maxUnavailable: number | string };
    };
    minReadySeconds?: number;
    revisionHistoryLimit: number;
    progressDeadlineSeconds: number;
    paused?: boolean;
  };
  status: DeploymentStatus;
}

export interface DeploymentStatus {
  observedGeneration?: number;
  replicas?: number;
  updatedReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  unavailableReplicas?: number;
  terminatingReplicas?: number;
  collisionCount?: number;
  conditions?: Condition[];
}

export interface ReplicaSetObject {
  metadata: Meta;
  spec: { replicas: number; selector: LabelSelector; template: PodTemplate; minReadySeconds?: number };
  status: ReplicaSetStatus;
}

export interface ReplicaSetStatus {
  replicas: number;
  fullyLabeledReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  observedGeneration?: number;
}

export interface PodObject {
  metadata: Meta;
  spec: { nodeName?: string; containers: { ports?: { name?: string; containerPort: number; protocol?: string }[] }[] };
  status: { phase?: string; podIP?: string; conditions?: Condition[] };
}

export interface ServiceObject {
  metadata: Meta;
  spec: {
    type: string;
    selector?: Record<string, string>;
    publishNotReadyAddresses?: boolean;
    ports?: { name?: string; port: number; targetPort: number | string; protocol: string; appProtocol?: string }[];
  };
}

export interface EndpointSliceObject {
  metadata: Meta;
  addressType: string;
  /** null where there are none. */
  endpoints: Endpoint[] | null;
  ports?: EndpointPort[] | null;
}

export interface Endpoint {
  addresses: string[];
  conditions: { ready: boolean; serving: boolean; terminating: boolean };
  nodeName?: string;
  targetRef: { kind: 'Pod'; namespace: string; name: string; uid: string };
}

export interface EndpointPort {
  name: string;
  port: number;
  protocol: string;
  appProtocol?: string;
}

/** Whether a selector matches; one that selects nothing in particular matches nothing. */
export function matches(selector: LabelSelector, labels: Record<string, string> = {}): boolean {
  if (!Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value)) return false;
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labels[key];
    if (operator === 'In') return value !== undefined && values.includes(value);
    if (operator === 'NotIn') return value === undefined || !values.includes(value);
    return operator === 'Exists' ? value !== undefined : value === undefined;
  });
}

/** The owner that controls the object. */
export const controllerOf = ({ ownerReferences }: Meta): OwnerReference | undefined =>
  ownerReferences?.find((owner) => owner.controller);

const ended = (pod: PodObject): boolean => pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';

/** A pod that counts as a replica: neither ended nor on its way out. */
export const isActive = (pod: PodObject): boolean => !ended(pod) && pod.metadata.deletionTimestamp === undefined;

const ready = (pod: PodObject): Condition | undefined =>
  pod.status.conditions?.find(({ type, status }) => type === 'Ready' && status === 'True');

export const isReady = (pod: PodObject): boolean => ready(pod) !== undefined;

/** When a ready pod becomes available: ready for `minReadySeconds`. Undefined while it is not ready. */
export function availableAt(pod: PodObject, minReadySeconds: number): number | undefined {
  const condition = ready(pod);
  if (!condition) return undefined;
  return Date.parse(condition.lastTransitionTime ?? pod.metadata.creationTimestamp) + minReadySeconds * 1000;
}

export const hasEnded = ended;
