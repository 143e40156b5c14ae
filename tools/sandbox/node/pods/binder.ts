import { eventName, Informer, isConflict, isNotFound, resources, type KubernetesClient } from '@keelson/kubernetes';
import { nodeResource, type Node, type Pod } from '../kubernetes-objects.ts';
import { candidates, isBindable } from './binding.ts';

/** How long a node waits for each node before it in the order of candidates. */
const WAIT_PER_RANK_MS = 300;
/** How soon a pod that no node could take is looked at again. */
const RETRY_MS = 1000;

/** Binds pods without a node, as a scheduler would; does nothing about a pod that somebody else binds first. */
export class Binder {
  readonly #client: KubernetesClient;
  readonly #nodeName: string;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #warn: (message: string) => void;
  readonly #due = new Map<string, NodeJS.Timeout>();
  #stopped = false;

  constructor(options: {
    client: KubernetesClient;
    nodeName: string;
    pods: Informer<Pod>;
    warn: (message: string) => void;
  }) {
    this.#client = options.client;
    this.#nodeName = options.nodeName;
    this.#pods = options.pods;
    this.#warn = options.warn;
    this.#nodes = new Informer<Node>({ client: options.client, resource: nodeResource });
  }

  async start(): Promise<void> {
    this.#nodes.start();
    await this.#nodes.synced;
    this.#pods.onChange((type, pod) => {
      if (type === 'DELETED' || !isBindable(pod)) this.#forget(pod.metadata.uid ?? '');
      else this.#consider(pod);
    });
    for (const pod of this.#pods.list()) if (isBindable(pod)) this.#consider(pod);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const uid of this.#due.keys()) this.#forget(uid);
    await this.#nodes.stop();
  }

  #consider(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    if (this.#stopped || this.#due.has(uid)) return;
    const rank = candidates(pod, this.#nodes.list(), this.#pods.list()).indexOf(this.#nodeName);
    if (rank === -1) this.#later(pod, RETRY_MS, () => this.#consider(pod));
    else if (rank === 0) this.#later(pod, 0, () => void this.#bind(pod));
    else this.#later(pod, rank * WAIT_PER_RANK_MS, () => void this.#bind(pod));
  }

  #later(pod: Pod, delayMs: number, then: () => void): void {
    const uid = pod.metadata.uid ?? '';
    const timer = setTimeout(() => {
      this.#due.delete(uid);
      const current = this.#pods.get(pod.metadata.namespace, pod.metadata.name);
      if (!this.#stopped && current?.metadata.uid === uid && isBindable(current)) then();
    }, delayMs);
    this.#due.set(uid, timer);
  }

  #forget(uid: string): void {
    clearTimeout(this.#due.get(uid));
    this.#due.delete(uid);
  }

  async #bind(pod: Pod): Promise<void> {
    const { namespace = '', name, uid } = pod.metadata;
    // From before the answer: kubelet's own Events come after it.
    const at = Date.now();
    try {
      await this.#client.request({
        method: 'POST',
        path: `/api/v1/namespaces/${namespace}/pods/${name}/binding`,
        body: {
          apiVersion: 'v1',
          kind: 'Binding',
          metadata: { name, namespace, ...(uid !== undefined && { uid }) },
          target: { apiVersion: 'v1', kind: 'Node', name: this.#nodeName },
        },
      });
      await this.#scheduledEvent(pod, at);
    } catch (error) {
      // Another node or a real scheduler was faster, or the pod is gone.
      if (isConflict(error) || isNotFound(error) || this.#stopped) return;
      this.#warn(`binding pod ${namespace}/${name}: ${(error as Error).message}`);
      this.#later(pod, RETRY_MS, () => this.#consider(pod));
    }
  }

  /** Written as the scheduler of Kubernetes writes it: with eventTime, action and reportingComponent. */
  async #scheduledEvent(pod: Pod, at: number): Promise<void> {
    const { namespace = '', name, uid } = pod.metadata;
    await this.#client.create(resources.events, {
      metadata: { name: eventName(name, at), namespace },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', name, namespace, ...(uid !== undefined && { uid }) },
      type: 'Normal',
      reason: 'Scheduled',
      message: `Successfully assigned ${namespace}/${name} to ${this.#nodeName}`,
      action: 'Binding',
      eventTime: new Date(at).toISOString().replace('Z', '000Z'),
      reportingComponent: 'default-scheduler',
      reportingInstance: `default-scheduler-${this.#nodeName}`,
      source: {},
    });
  }
}
