import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { podResource, type Pod } from '../kubernetes-objects.ts';
import { Informer } from '@keelson/kubernetes';
import type { NodeContext } from './context.ts';
import { PodRunner } from './runner.ts';

/** Follows all pods of the cluster; runs those bound to this node. */
export class PodManager {
  readonly informer: Informer<Pod>;
  readonly #context: NodeContext;
  readonly #runners = new Map<string, PodRunner>();
  #stopped = false;

  constructor(context: NodeContext) {
    this.#context = context;
    this.informer = new Informer<Pod>({
      client: context.client,
      resource: podResource,
      onError: (error, next) => {
        context.warn(`watching pods: ${(error as Error).message}; next attempt in ${Math.round(next.retryInMs)} ms`);
      },
    });
    this.informer.onChange((type, pod, previous) => {
      // The same name, but another pod: the old one went while nobody looked.
      if (previous !== undefined && previous.metadata.uid !== pod.metadata.uid) this.#gone(previous);
      if (type === 'DELETED') this.#gone(pod);
      else this.#changed(pod);
    });
  }

  /** Resolves once the pods that were there are being run. */
  async start(): Promise<void> {
    this.informer.start();
    await this.informer.synced;
    const known = new Set(this.informer.list().map((pod) => pod.metadata.uid));
    const folder = join(this.#context.stateDir, 'pods');
    for (const uid of listFolder(folder))
      if (!known.has(uid)) rmSync(join(folder, uid), { recursive: true, force: true });
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    await this.informer.stop();
    await Promise.all([...this.#runners.values()].map((runner) => runner.shutDown(graceMs)));
  }

  find(namespace: string, name: string): PodRunner | undefined {
    const uid = this.informer.get(namespace, name)?.metadata.uid;
    return uid === undefined ? undefined : this.#runners.get(uid);
  }

  get count(): number {
    return this.#runners.size;
  }

  #changed(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    if (this.#stopped || pod.spec.nodeName !== this.#context.nodeName) return;
    const known = this.#runners.get(uid);
    if (known !== undefined) {
      known.update(pod);
      return;
    }
    const over = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    if (over && pod.metadata.deletionTimestamp === undefined) return;
    const runner = new PodRunner(this.#context, pod);
    this.#runners.set(uid, runner);
    // One that was on its way out when this node came up has no process here: only its object is left to end.
    if (pod.metadata.deletionTimestamp === undefined) runner.start();
    else runner.terminate(0);
  }

  #gone(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const runner = this.#runners.get(uid);
    if (runner === undefined) return;
    this.#runners.delete(uid);
    void runner.discard();
  }
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
