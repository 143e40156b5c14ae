import type { Condition, DeploymentObject, DeploymentStatus, ReplicaSetObject } from '../objects.ts';
import { bounds } from './rollout.ts';

const time = (now: Date): string => now.toISOString().replace(/\.\d+Z$/, 'Z');

type Finding = Required<Pick<Condition, 'type' | 'status' | 'reason' | 'message'>>;

/** A condition in place of the one of its type; times move only when something did. */
function put(conditions: Condition[], finding: Finding, now: Date): Condition[] {
  const before = conditions.find(({ type }) => type === finding.type);
  if (before?.status === finding.status && before.reason === finding.reason && before.message === finding.message)
    return conditions;
  const lastTransitionTime = before?.status === finding.status ? before.lastTransitionTime : undefined;
  const next: Condition = {
    ...finding,
    lastUpdateTime: time(now),
    lastTransitionTime: lastTransitionTime ?? time(now),
  };
  return [...conditions.filter(({ type }) => type !== finding.type), next];
}

const sum = (sets: ReplicaSetObject[], key: 'replicas' | 'readyReplicas' | 'availableReplicas'): number =>
  sets.reduce((all, { status }) => all + (status[key] ?? 0), 0);

/** The status of a Deployment from its ReplicaSets' (k8s.io/kubernetes/pkg/controller/deployment/sync.go, progress.go). */
export function statusOf(
  deployment: DeploymentObject,
  owned: ReplicaSetObject[],
  current: ReplicaSetObject | undefined,
  now: Date,
): DeploymentStatus {
  const before = deployment.status;
  const wanted = deployment.spec.replicas;
  const replicas = sum(owned, 'replicas');
  const readyReplicas = sum(owned, 'readyReplicas');
  const availableReplicas = sum(owned, 'availableReplicas');
  const updatedReplicas = current?.status.replicas ?? 0;
  const planned = owned.reduce((all, { spec }) => all + spec.replicas, 0);
  const status: DeploymentStatus = {
    ...(deployment.metadata.generation ? { observedGeneration: deployment.metadata.generation } : {}),
    ...(replicas ? { replicas } : {}),
    ...(updatedReplicas ? { updatedReplicas } : {}),
    ...(readyReplicas ? { readyReplicas } : {}),
    ...(availableReplicas ? { availableReplicas } : {}),
    ...(planned > availableReplicas ? { unavailableReplicas: planned - availableReplicas } : {}),
    ...(before.collisionCount ? { collisionCount: before.collisionCount } : {}),
  };
  const enough = availableReplicas >= wanted - bounds(deployment).unavailable;
  const conditions = put(
    before.conditions ?? [],
    enough
      ? {
          type: 'Available',
          status: 'True',
          reason: 'MinimumReplicasAvailable',
          message: 'Deployment has minimum availability.',
        }
      : {
          type: 'Available',
          status: 'False',
          reason: 'MinimumReplicasUnavailable',
          message: 'Deployment does not have minimum availability.',
        },
    now,
  );
  const progress = progressing(deployment, status, current, conditions, now);
  return { ...status, conditions: progress ? put(conditions, progress, now) : conditions };
}

const rank = ({
  updatedReplicas = 0,
  readyReplicas = 0,
  availableReplicas = 0,
  replicas = 0,
}: DeploymentStatus): number[] => [updatedReplicas, -(replicas - updatedReplicas), readyReplicas, availableReplicas];

/** Whether a rollout has reached its end. */
export const isComplete = (deployment: DeploymentObject, status: DeploymentStatus): boolean => {
  const wanted = deployment.spec.replicas;
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
};

function progressing(
  deployment: DeploymentObject,
  status: DeploymentStatus,
  current: ReplicaSetObject | undefined,
  conditions: Condition[],
  now: Date,
): Finding | undefined {
  const before = conditions.find(({ type }) => type === 'Progressing');
  const name = current
    ? `ReplicaSet ${JSON.stringify(current.metadata.name)}`
    : `Deployment ${JSON.stringify(deployment.metadata.name)}`;
  if (isComplete(deployment, status) && current) {
    return {
      type: 'Progressing',
      status: 'True',
      reason: 'NewReplicaSetAvailable',
      message: `${name} has successfully progressed.`,
    };
  }
  const old = rank(deployment.status);
  const moved = rank(status).some((value, i) => value > (old[i] as number));
  if (moved || !before) {
    return { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', message: `${name} is progressing.` };
  }
  if (before.reason === 'NewReplicaSetAvailable' || deployment.spec.paused) return undefined;
  const at = deadline(deployment, before);
  if (at !== undefined && now.getTime() >= at) {
    return {
      type: 'Progressing',
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: `${name} has timed out progressing.`,
    };
  }
  return undefined;
}

/** When a rollout that has not moved since the condition was written counts as stuck. */
export function deadline({ spec }: DeploymentObject, condition: Condition | undefined): number | undefined {
  if (!condition?.lastUpdateTime || condition.reason === 'NewReplicaSetAvailable' || condition.status === 'False')
    return undefined;
  return Date.parse(condition.lastUpdateTime) + spec.progressDeadlineSeconds * 1000;
}
