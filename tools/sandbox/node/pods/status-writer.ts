import { isConflict, isNotFound } from '@keelson/kubernetes';
import { podResource, type Pod, type PodStatus } from '../kubernetes-objects.ts';
import type { NodeContext } from './context.ts';

/**
 * Writes a pod's status: the latest one only, one request at a time, again after an error. The patch carries the uid,
 * so that a new pod of the same name is never taken for this one (409, ignored).
 */
export class StatusWriter {
  readonly #context: NodeContext;
  readonly #pod: Pod;
  #wanted: PodStatus | undefined;
  #written = '';
  #running: Promise<void> | undefined;
  #over = false;

  constructor(context: NodeContext, pod: Pod) {
    this.#context = context;
    this.#pod = pod;
  }

  write(status: PodStatus): void {
    if (this.#over) return;
    this.#wanted = status;
    this.#running ??= this.#run();
  }

  /** Until the latest status is stored, or the pod is gone. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** Nothing more is to be written. */
  stop(): void {
    this.#over = true;
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    const { client, warn } = this.#context;
    const { namespace, name, uid } = this.#pod.metadata;
    for (let attempt = 0; !this.#over && this.#wanted !== undefined;) {
      const status = this.#wanted;
      const text = JSON.stringify(status);
      this.#wanted = undefined;
      if (text === this.#written) continue;
      try {
        await client.patchStatus(podResource, { metadata: { uid }, status }, { namespace, name });
        this.#written = text;
        attempt = 0;
      } catch (error) {
        if (isNotFound(error) || isConflict(error)) {
          this.#over = true;
          break;
        }
        warn(`status of pod ${namespace}/${name}: ${(error as Error).message}`);
        this.#wanted ??= status;
        attempt += 1;
        await new Promise((resolve) => setTimeout(resolve, Math.min(5000, 100 * 2 ** attempt)));
      }
    }
    this.#running = undefined;
  }
}
