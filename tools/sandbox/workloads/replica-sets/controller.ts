import {
  type Informer,
  isConflict,
  isNotFound,
  type KubernetesClient,
  type Pod,
  type ReplicaSet,
  resources,
} from '@keelson/kubernetes';
import { isDeepStrictEqual } from 'node:util';

import {
  type PodObject,
  type ReplicaSetObject,
  type ReplicaSetStatus,
  availableAt,
  controllerOf,
  isActive,
  isReady,
  matches,
} from '../objects.ts';
import { WorkQueue } from '../queue.ts';
import { Recorder } from '../recorder.ts';
import { podsToDelete } from './choose.ts';
import { Expectations } from './expectations.ts';

export interface Informers {
  replicaSets: Informer<ReplicaSetObject>;
  pods: Informer<PodObject>;
}

const identity = { apiVersion: 'apps/v1', kind: 'ReplicaSet' };
const atOnce = 50;

/** Keeps as many pods of a ReplicaSet as it asks for. */
export class ReplicaSetController {
  readonly #client: KubernetesClient;
  readonly #informers: Informers;
  readonly #queue: WorkQueue;
  readonly #recorder: Recorder;
  readonly #expectations = new Expectations({ lifetimeMs: 10_000 });

  constructor(client: KubernetesClient, informers: Informers, log: (text: string) => void) {
    this.#client = client;
    this.#informers = informers;
    this.#recorder = new Recorder(client, 'replicaset-controller', log);
    this.#queue = new WorkQueue({
      name: 'replicaset',
      sync: (key) => this.#sync(key),
      expected: (error) => isConflict(error) || isNotFound(error),
      log,
    });
    informers.replicaSets.onChange((type, { metadata }) => {
      if (type === 'DELETED') this.#expectations.forget(metadata.uid);
      else this.#queue.add(`${metadata.namespace}/${metadata.name}`);
    });
    // Those that were there before the handler.
    for (const { metadata } of informers.replicaSets.list()) this.#queue.add(`${metadata.namespace}/${metadata.name}`);
    informers.pods.onChange((type, pod) => {
      const { metadata } = pod;
      const owner = controllerOf(metadata);
      if (owner?.kind !== 'ReplicaSet') return;
      if (type !== 'DELETED') this.#expectations.seen(owner.uid, metadata.name);
      if (type === 'DELETED' || metadata.deletionTimestamp) this.#expectations.seen(owner.uid, metadata.uid);
      this.#queue.add(`${metadata.namespace}/${owner.name}`);
    });
  }

  stop(): void {
    this.#queue.stop();
  }

  async #sync(key: string): Promise<void> {
    const [namespace = '', name = ''] = key.split('/');
    const set = this.#informers.replicaSets.get(namespace, name);
    if (!set) return;
    const { uid } = set.metadata;
    const pods = this.#informers.pods
      .list(namespace)
      .filter((pod) => controllerOf(pod.metadata)?.uid === uid && matches(set.spec.selector, pod.metadata.labels));
    const active = pods.filter(isActive);
    if (!set.metadata.deletionTimestamp) {
      if (this.#expectations.met(uid)) await this.#scale(set, active);
      else this.#queue.addAfter(key, 1000);
    }
    await this.#writeStatus(set, active);
  }

  async #scale(set: ReplicaSetObject, active: PodObject[]): Promise<void> {
    const missing = set.spec.replicas - active.length;
    if (missing > 0) {
      await Promise.all(Array.from({ length: Math.min(missing, atOnce) }, () => this.#createPod(set)));
      if (missing > atOnce) this.#queue.add(`${set.metadata.namespace}/${set.metadata.name}`);
    } else if (missing < 0) {
      await Promise.all(podsToDelete(active, -missing).map((pod) => this.#deletePod(set, pod)));
    }
  }

  async #createPod(set: ReplicaSetObject): Promise<void> {
    const { name, namespace, uid } = set.metadata;
    const { metadata = {}, spec } = set.spec.template;
    const pod = {
      metadata: {
        ...metadata,
        generateName: `${name}-`,
        namespace,
        ownerReferences: [{ ...identity, name, uid, controller: true, blockOwnerDeletion: true }],
      },
      spec,
    };
    try {
      const created = await this.#client.create(resources.pods, pod as Pod, { namespace });
      const podName = created.metadata?.name ?? '';
      if (!this.#informers.pods.get(namespace, podName)) this.#expectations.expect(uid, podName);
      this.#tell(set, 'Normal', 'SuccessfulCreate', `Created pod: ${podName}`);
    } catch (error) {
      this.#tell(set, 'Warning', 'FailedCreate', `Error creating: ${(error as Error).message}`);
      throw error;
    }
  }

  async #deletePod(set: ReplicaSetObject, { metadata }: PodObject): Promise<void> {
    const { namespace, name, uid } = metadata;
    await this.#client.delete(resources.pods, { namespace, name, preconditions: { uid } });
    const cached = this.#informers.pods.get(namespace, name);
    if (cached?.metadata.uid === uid && !cached.metadata.deletionTimestamp)
      this.#expectations.expect(set.metadata.uid, uid);
    this.#tell(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
  }

  #tell(set: ReplicaSetObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#recorder.event({ ...identity, metadata: set.metadata }, type, reason, message);
  }

  async #writeStatus(set: ReplicaSetObject, active: PodObject[]): Promise<void> {
    const { namespace, name, generation } = set.metadata;
    const { status, wakeAt } = statusOf(set, active, Date.now());
    if (wakeAt !== undefined) this.#queue.addAfter(`${namespace}/${name}`, Math.max(1, wakeAt - Date.now()));
    const next: ReplicaSetStatus = { ...status, ...(generation ? { observedGeneration: generation } : {}) };
    if (isDeepStrictEqual(next, set.status)) return;
    // From the cache, under its resourceVersion: outdated, it is refused and tried again from what the watch brings.
    await this.#client.replaceStatus(resources.replicaSets, { ...set, status: next } as ReplicaSet, { namespace });
  }
}

/** A ReplicaSet's status from its active pods, and when a ready pod will count as available. */
export function statusOf(
  set: ReplicaSetObject,
  active: PodObject[],
  now: number,
): { status: ReplicaSetStatus; wakeAt: number | undefined } {
  const minReadySeconds = set.spec.minReadySeconds ?? 0;
  const template = set.spec.template.metadata?.labels ?? {};
  const times = active.map((pod) => availableAt(pod, minReadySeconds)).filter((at) => at !== undefined);
  // A condition's time is whole seconds: without minReadySeconds a pod that is ready is available.
  const available = times.filter((at) => minReadySeconds === 0 || at <= now).length;
  const readyReplicas = active.filter(isReady).length;
  const fullyLabeledReplicas = active.filter(({ metadata }) =>
    Object.entries(template).every(([key, value]) => metadata.labels?.[key] === value),
  ).length;
  const later = minReadySeconds === 0 ? [] : times.filter((at) => at > now);
  return {
    status: {
      replicas: active.length,
      ...(fullyLabeledReplicas ? { fullyLabeledReplicas } : {}),
      ...(readyReplicas ? { readyReplicas } : {}),
      ...(available ? { availableReplicas: available } : {}),
    },
    wakeAt: later.length > 0 ? Math.min(...later) : undefined,
  };
}
