import { eventually } from '@keelson/testing';

import type { RawApi } from './api-raw.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into whatever the API answers
type Any = any;

/**
 * Plays the node for workload tests, which need pods that become ready when a test says so: a Node object, bindings,
 * and the status that a kubelet would write.
 */
export class PretendNode {
  readonly #api: RawApi;
  readonly #namespace: string;
  readonly name: string;
  #addresses = 0;

  constructor(api: RawApi, namespace: string) {
    this.#api = api;
    this.#namespace = namespace;
    this.name = `node-${namespace}`;
  }

  async register(): Promise<void> {
    await this.#api.post('/api/v1/nodes', { metadata: { name: this.name } });
  }

  async unregister(): Promise<void> {
    await this.#api.call('DELETE', `/api/v1/nodes/${this.name}`);
  }

  #pods(): string {
    return `/api/v1/namespaces/${this.#namespace}/pods`;
  }

  /** The pods with these labels that are not on their way out. */
  async pods(selector: string): Promise<Any[]> {
    const { body } = await this.#api.get(`${this.#pods()}?labelSelector=${encodeURIComponent(selector)}`);
    return body.items.filter((pod: Any) => pod.metadata.deletionTimestamp === undefined);
  }

  /** Binds the pod and lets it run, ready or not. */
  async run(name: string, ready = true): Promise<void> {
    await this.#api.post(`${this.#pods()}/${name}/binding`, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name },
      target: { kind: 'Node', name: this.name },
    });
    await this.setReady(name, ready, `10.9.0.${++this.#addresses}`);
  }

  async setReady(name: string, ready: boolean, podIP?: string): Promise<void> {
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: now }];
    const address = podIP ? { podIP, podIPs: [{ ip: podIP }] } : {};
    const patch = { status: { phase: 'Running', conditions, ...address } };
    await this.#api.call('PATCH', `${this.#pods()}/${name}/status`, patch, {
      type: 'application/strategic-merge-patch+json',
    });
  }

  /** What a kubelet does once a pod's containers have ended. */
  async end(name: string): Promise<void> {
    await this.#api.call('DELETE', `${this.#pods()}/${name}?gracePeriodSeconds=0`);
  }

  /** Runs every new pod with these labels and ends every one that is to go, until `done`. */
  async keepRunning(selector: string, done: () => Promise<boolean>, watch?: () => Promise<void>): Promise<void> {
    await eventually(
      async () => {
        const { body } = await this.#api.get(`${this.#pods()}?labelSelector=${encodeURIComponent(selector)}`);
        await watch?.();
        for (const pod of body.items as Any[]) {
          if (pod.metadata.deletionTimestamp) await this.end(pod.metadata.name);
          else if (!pod.spec.nodeName) await this.run(pod.metadata.name);
        }
        return done();
      },
      { everyMs: 30 },
    );
  }
}
