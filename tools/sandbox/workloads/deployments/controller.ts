import {
  type Deployment,
  type Informer,
  isAlreadyExists,
  isConflict,
  isNotFound,
  type KubernetesClient,
  type ReplicaSet,
  resources,
} from '@keelson/kubernetes';
import { isDeepStrictEqual } from 'node:util';

import {
  type Condition,
  type DeploymentObject,
  type PodObject,
  type ReplicaSetObject,
  controllerOf,
  hasEnded,
} from '../objects.ts';
import { WorkQueue } from '../queue.ts';
import { Recorder } from '../recorder.ts';
import {
  type Effect,
  bounds,
  decide,
  desiredAnnotation,
  maxAnnotation,
  revisionAnnotation,
  revisionOf,
} from './rollout.ts';
import { deadline, statusOf } from './status.ts';
import { hashLabel } from './template-hash.ts';

export interface Informers {
  deployments: Informer<DeploymentObject>;
  replicaSets: Informer<ReplicaSetObject>;
  pods: Informer<PodObject>;
}

const identity = { apiVersion: 'apps/v1', kind: 'Deployment' };

/** Keeps each Deployment's ReplicaSets in line with it: the rollout, one step per change it sees. */
export class DeploymentController {
  readonly #client: KubernetesClient;
  readonly #informers: Informers;
  readonly #queue: WorkQueue;
  readonly #recorder: Recorder;

  constructor(client: KubernetesClient, informers: Informers, log: (text: string) => void) {
    this.#client = client;
    this.#informers = informers;
    this.#recorder = new Recorder(client, 'deployment-controller', log);
    this.#queue = new WorkQueue({
      name: 'deployment',
      sync: (key) => this.#sync(key),
      expected: (error) => isConflict(error) || isNotFound(error),
      log,
    });
    informers.deployments.onChange((_type, { metadata }) => this.#queue.add(`${metadata.namespace}/${metadata.name}`));
    informers.replicaSets.onChange((_type, { metadata }) => {
      const owner = controllerOf(metadata);
      if (owner?.kind === 'Deployment') this.#queue.add(`${metadata.namespace}/${owner.name}`);
    });
    // Recreate waits for the last old pod to be gone.
    informers.pods.onChange((type, pod) => {
      if (type === 'DELETED' || hasEnded(pod)) this.#queueOwnerOf(pod);
    });
  }

  stop(): void {
    this.#queue.stop();
  }

  #queueOwnerOf({ metadata }: PodObject): void {
    const owner = controllerOf(metadata);
    const set = owner && this.#informers.replicaSets.get(metadata.namespace, owner.name);
    const deployment = set && controllerOf(set.metadata);
    if (deployment) this.#queue.add(`${metadata.namespace}/${deployment.name}`);
  }

  async #sync(key: string): Promise<void> {
    const [namespace = '', name = ''] = key.split('/');
    const deployment = this.#informers.deployments.get(namespace, name);
    if (!deployment || deployment.metadata.deletionTimestamp) return;
    const owned = this.#informers.replicaSets
      .list(namespace)
      .filter((set) => controllerOf(set.metadata)?.uid === deployment.metadata.uid);
    const { effects, current } = decide(deployment, owned, this.#oldPods(deployment, owned));
    for (const effect of effects) await this.#carryOut(deployment, effect);
    const revision = revisionOf(current ?? deployment);
    await this.#writeRevision(deployment, revision);
    await this.#writeStatus(deployment, owned, current);
  }

  #oldPods(deployment: DeploymentObject, owned: ReplicaSetObject[]): number {
    if (deployment.spec.strategy.type !== 'Recreate') return 0;
    const current = decide(deployment, owned, 0).current;
    const uids = new Set(owned.filter((set) => set !== current).map((set) => set.metadata.uid));
    return this.#informers.pods
      .list(deployment.metadata.namespace)
      .filter((pod) => uids.has(controllerOf(pod.metadata)?.uid ?? '') && !hasEnded(pod)).length;
  }

  async #carryOut(deployment: DeploymentObject, effect: Effect): Promise<void> {
    const { namespace, name } = deployment.metadata;
    switch (effect.kind) {
      case 'create':
        await this.#create(deployment, effect);
        return;
      case 'scale':
        await this.#scale(deployment, effect.replicaSet, effect.replicas);
        return;
      case 'revision':
        await this.#annotate(effect.replicaSet, { [revisionAnnotation]: String(effect.revision) });
        return;
      case 'delete':
        await this.#client.delete(resources.replicaSets, { namespace, name: effect.replicaSet.metadata.name });
        return;
      case 'collision': {
        const collisionCount = (deployment.status.collisionCount ?? 0) + 1;
        await this.#client.patchStatus(resources.deployments, { status: { collisionCount } }, { namespace, name });
        return;
      }
      default:
        effect satisfies never;
    }
  }

  #planAnnotations(deployment: DeploymentObject): Record<string, string> {
    const { replicas } = deployment.spec;
    return { [desiredAnnotation]: String(replicas), [maxAnnotation]: String(replicas + bounds(deployment).surge) };
  }

  async #create(deployment: DeploymentObject, effect: Extract<Effect, { kind: 'create' }>): Promise<void> {
    const { namespace, name, uid, annotations = {} } = deployment.metadata;
    const { template, selector, minReadySeconds } = deployment.spec;
    const labels = { ...template.metadata?.labels, [hashLabel]: effect.hash };
    const {
      'kubectl.kubernetes.io/last-applied-configuration': _,
      [revisionAnnotation]: __,
      ...inherited
    } = annotations;
    const set = {
      metadata: {
        name: effect.name,
        namespace,
        labels,
        annotations: {
          ...inherited,
          ...this.#planAnnotations(deployment),
          [revisionAnnotation]: String(effect.revision),
        },
        ownerReferences: [{ ...identity, name, uid, controller: true, blockOwnerDeletion: true }],
      },
      spec: {
        replicas: effect.replicas,
        ...(minReadySeconds ? { minReadySeconds } : {}),
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: effect.hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    };
    try {
      await this.#client.create(resources.replicaSets, set as ReplicaSet, { namespace });
    } catch (error) {
      // The cache has not seen our own creation yet.
      if (isAlreadyExists(error)) return;
      throw error;
    }
    if (effect.replicas > 0) this.#tellScaled(deployment, effect.name, 0, effect.replicas);
  }

  async #scale(deployment: DeploymentObject, set: ReplicaSetObject, replicas: number): Promise<void> {
    const { name, namespace, resourceVersion, annotations = {} } = set.metadata;
    const plan = this.#planAnnotations(deployment);
    const planned = Object.entries(plan).every(([key, value]) => annotations[key] === value);
    if (planned && set.spec.replicas === replicas) return;
    // With the resourceVersion that was read: a cache that lags behind must not undo what was done since.
    const patch = { metadata: { resourceVersion, annotations: plan }, spec: { replicas } };
    await this.#client.patch(resources.replicaSets, patch, { namespace, name });
    if (set.spec.replicas !== replicas) this.#tellScaled(deployment, name, set.spec.replicas, replicas);
  }

  #tellScaled(deployment: DeploymentObject, name: string, from: number, to: number): void {
    const message = `Scaled ${to > from ? 'up' : 'down'} replica set ${name} from ${from} to ${to}`;
    this.#recorder.event({ ...identity, metadata: deployment.metadata }, 'Normal', 'ScalingReplicaSet', message);
  }

  async #annotate(
    { metadata: { namespace, name } }: ReplicaSetObject,
    annotations: Record<string, string>,
  ): Promise<void> {
    await this.#client.patch(resources.replicaSets, { metadata: { annotations } }, { namespace, name });
  }

  async #writeRevision(deployment: DeploymentObject, revision: number): Promise<void> {
    if (revision === 0 || revisionOf(deployment) === revision) return;
    const { namespace, name } = deployment.metadata;
    const patch = { metadata: { annotations: { [revisionAnnotation]: String(revision) } } };
    await this.#client.patch(resources.deployments, patch, { namespace, name });
  }

  async #writeStatus(
    deployment: DeploymentObject,
    owned: ReplicaSetObject[],
    current: ReplicaSetObject | undefined,
  ): Promise<void> {
    const { namespace, name } = deployment.metadata;
    const status = statusOf(deployment, owned, current, new Date());
    const condition = status.conditions?.find((c: Condition) => c.type === 'Progressing');
    const at = deadline(deployment, condition);
    if (at !== undefined) this.#queue.addAfter(`${namespace}/${name}`, Math.max(1000, at - Date.now() + 1000));
    if (isDeepStrictEqual(status, deployment.status)) return;
    await this.#client.replaceStatus(resources.deployments, { ...deployment, status } as Deployment, { namespace });
  }
}
