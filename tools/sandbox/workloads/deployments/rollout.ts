import type { DeploymentObject, ReplicaSetObject } from '../objects.ts';
import { hashLabel, sameTemplate, templateHash } from './template-hash.ts';

/** One thing to do to the cluster. */
export type Effect =
  | { kind: 'create'; name: string; hash: string; replicas: number; revision: number }
  | { kind: 'scale'; replicaSet: ReplicaSetObject; replicas: number }
  | { kind: 'revision'; replicaSet: ReplicaSetObject; revision: number }
  | { kind: 'delete'; replicaSet: ReplicaSetObject }
  | { kind: 'collision' };

export interface Decision {
  effects: Effect[];
  /** The ReplicaSet of the present template; undefined before it is created. */
  current: ReplicaSetObject | undefined;
}

export const revisionAnnotation = 'deployment.kubernetes.io/revision';
export const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas';
export const maxAnnotation = 'deployment.kubernetes.io/max-replicas';

const share = (value: number | string, of: number, round: (n: number) => number): number =>
  typeof value === 'number' ? value : round((Number.parseFloat(value) * of) / 100);

/** maxSurge and maxUnavailable in pods: surge rounds up, unavailability down, and one of them is above 0. */
export function bounds({ spec }: DeploymentObject): { surge: number; unavailable: number } {
  const { rollingUpdate } = spec.strategy;
  if (spec.strategy.type !== 'RollingUpdate' || !rollingUpdate) return { surge: 0, unavailable: 0 };
  const surge = share(rollingUpdate.maxSurge, spec.replicas, Math.ceil);
  const unavailable = Math.min(share(rollingUpdate.maxUnavailable, spec.replicas, Math.floor), spec.replicas);
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable };
}

export const revisionOf = ({ metadata }: { metadata: { annotations?: Record<string, string> } }): number =>
  Number(metadata.annotations?.[revisionAnnotation] ?? 0);

const byAge = (a: ReplicaSetObject, b: ReplicaSetObject): number =>
  a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp) ||
  a.metadata.name.localeCompare(b.metadata.name);

const total = (sets: ReplicaSetObject[]): number => sets.reduce((sum, { spec }) => sum + spec.replicas, 0);

/** The ReplicaSet whose template is the Deployment's (the oldest, should there be several). */
export const currentOf = (deployment: DeploymentObject, owned: ReplicaSetObject[]): ReplicaSetObject | undefined =>
  [...owned].sort(byAge).find((set) => sameTemplate(set.spec.template, deployment.spec.template));

/**
 * What to do next for a Deployment, given the ReplicaSets it owns and how many pods of its older ones are still there
 * (Recreate waits for them). The steps are those of k8s.io/kubernetes/pkg/controller/deployment.
 */
export function decide(deployment: DeploymentObject, owned: ReplicaSetObject[], oldPods: number): Decision {
  const current = currentOf(deployment, owned);
  const old = owned.filter((set) => set !== current).sort(byAge);
  if (deployment.metadata.deletionTimestamp) return { effects: [], current };
  const resize = resized(deployment, current, old);
  if (deployment.spec.paused) return { effects: resize ?? [], current };
  if (resize) return { effects: resize, current };

  const revision = Math.max(0, ...old.map(revisionOf)) + 1;
  const effects: Effect[] =
    current && revisionOf(current) < revision ? [{ kind: 'revision', replicaSet: current, revision }] : [];
  const step =
    deployment.spec.strategy.type === 'Recreate'
      ? recreate(deployment, current, old, oldPods)
      : rolling(deployment, current, old);
  for (const effect of step) effects.push(effect === 'create' ? creation(deployment, owned, old, revision) : effect);
  if (effects.length === 0 && current) effects.push(...outdated(deployment, current, old));
  return { effects, current };
}

function creation(
  deployment: DeploymentObject,
  owned: ReplicaSetObject[],
  old: ReplicaSetObject[],
  revision: number,
): Effect {
  const hash = templateHash(deployment.spec.template, deployment.status.collisionCount);
  const name = `${deployment.metadata.name}-${hash}`;
  // The name is taken by another template: the next hash is another one.
  if (owned.some((set) => set.metadata.name === name)) return { kind: 'collision' };
  const { surge } = bounds(deployment);
  const rollingNow = deployment.spec.strategy.type === 'RollingUpdate';
  const room = rollingNow ? deployment.spec.replicas + surge - total(old) : deployment.spec.replicas;
  return { kind: 'create', name, hash, revision, replicas: Math.max(0, Math.min(room, deployment.spec.replicas)) };
}

type Step = (Effect | 'create')[];

function recreate(
  deployment: DeploymentObject,
  current: ReplicaSetObject | undefined,
  old: ReplicaSetObject[],
  oldPods: number,
): Step {
  const active = old.filter((set) => set.spec.replicas > 0);
  if (active.length > 0) return active.map((replicaSet) => ({ kind: 'scale', replicaSet, replicas: 0 }));
  if (oldPods > 0) return [];
  if (!current) return ['create'];
  const { replicas } = deployment.spec;
  return current.spec.replicas === replicas ? [] : [{ kind: 'scale', replicaSet: current, replicas }];
}

function rolling(deployment: DeploymentObject, current: ReplicaSetObject | undefined, old: ReplicaSetObject[]): Step {
  if (!current) return ['create'];
  const { replicas } = deployment.spec;
  const { surge, unavailable } = bounds(deployment);
  const all = total([...old, current]);
  if (current.spec.replicas > replicas) return [{ kind: 'scale', replicaSet: current, replicas }];
  const grow = Math.min(replicas + surge - all, replicas - current.spec.replicas);
  if (grow > 0) return [{ kind: 'scale', replicaSet: current, replicas: current.spec.replicas + grow }];

  const minAvailable = replicas - unavailable;
  // A status lags behind: of a set scaled down a moment ago it still counts the pods that are going. The real controller
  // believes it, and so can fall below the bound when new pods are ready at once.
  const available = ({ spec, status }: ReplicaSetObject): number =>
    Math.min(status.availableReplicas ?? 0, spec.replicas);
  const mayGo = all - minAvailable - (current.spec.replicas - available(current));
  if (mayGo <= 0) return [];
  // First those that serve nobody anyway, then available ones as far as enough of them stay.
  const wanted = new Map(old.map((set) => [set, set.spec.replicas]));
  let unhealthy = mayGo;
  for (const set of old) {
    const cut = Math.max(0, Math.min(unhealthy, set.spec.replicas - available(set)));
    wanted.set(set, set.spec.replicas - cut);
    unhealthy -= cut;
  }
  let spare = [current, ...old].reduce((sum, set) => sum + available(set), 0) - minAvailable;
  for (const set of old) {
    const cut = Math.max(0, Math.min(spare, wanted.get(set) as number));
    wanted.set(set, (wanted.get(set) as number) - cut);
    spare -= cut;
  }
  return old
    .filter((set) => wanted.get(set) !== set.spec.replicas)
    .map((replicaSet) => ({ kind: 'scale', replicaSet, replicas: wanted.get(replicaSet) as number }));
}

/**
 * Answers a change of spec.replicas while several ReplicaSets are up: each gets its share, so that a scale-up in the
 * middle of a rollout does not go to the new version alone. Undefined when nobody scaled.
 */
function resized(
  deployment: DeploymentObject,
  current: ReplicaSetObject | undefined,
  old: ReplicaSetObject[],
): Effect[] | undefined {
  const sets = current ? [...old, current] : old;
  const active = sets.filter((set) => set.spec.replicas > 0);
  const { replicas } = deployment.spec;
  const scaled = active.some((set) => {
    const desired = set.metadata.annotations?.[desiredAnnotation];
    return desired !== undefined && Number(desired) !== replicas;
  });
  if (!scaled) return undefined;
  const [only] = active.length > 1 ? [] : active;
  if (only) return [{ kind: 'scale', replicaSet: only, replicas }];
  const { surge } = bounds(deployment);
  const room = replicas === 0 ? 0 : replicas + surge;
  let left = room - total(active);
  // Largest first, and of equals the newest when growing, the oldest when shrinking.
  const order = [...active].sort((a, b) => b.spec.replicas - a.spec.replicas || (left > 0 ? byAge(b, a) : byAge(a, b)));
  const wanted = order.map((set) => {
    const before = Number(set.metadata.annotations?.[maxAnnotation] ?? total(active));
    const ideal = Math.round((set.spec.replicas * room) / Math.max(1, before)) - set.spec.replicas;
    const part = left > 0 ? Math.max(0, Math.min(ideal, left)) : Math.min(0, Math.max(ideal, left));
    left -= part;
    return { replicaSet: set, replicas: set.spec.replicas + part };
  });
  const [largest] = wanted;
  if (largest) largest.replicas = Math.max(0, largest.replicas + left);
  return wanted.map((w): Effect => ({ kind: 'scale', ...w }));
}

/** Old, empty ReplicaSets beyond the history limit, once the rollout is through. */
function outdated(deployment: DeploymentObject, current: ReplicaSetObject, old: ReplicaSetObject[]): Effect[] {
  const { replicas, revisionHistoryLimit } = deployment.spec;
  const through =
    current.status.availableReplicas === replicas || (replicas === 0 && (current.status.replicas ?? 0) === 0);
  if (!through) return [];
  const empty = old.filter(
    (set) => set.spec.replicas === 0 && set.status.replicas === 0 && !set.metadata.deletionTimestamp,
  );
  empty.sort((a, b) => revisionOf(a) - revisionOf(b));
  return empty
    .slice(0, Math.max(0, empty.length - revisionHistoryLimit))
    .map((replicaSet) => ({ kind: 'delete', replicaSet }));
}

export { hashLabel };
