import { eventName, isConflict, isNotFound, resources, type KubernetesClient } from '@keelson/kubernetes';
import { ingressResource, type Ingress } from '../kubernetes-objects.ts';
import type { Fault } from '../routing/compile.ts';

/** Tells the owners of Ingresses: the address in status.loadBalancer, and what has no effect as Warning events. */
export class Publisher {
  readonly #client: KubernetesClient;
  readonly #address: string;
  readonly #pod: string;
  readonly #told = new Set<string>();
  readonly #warn: (message: string) => void;
  #queue: Promise<void> = Promise.resolve();

  constructor(options: { client: KubernetesClient; address: string; pod: string; warn: (message: string) => void }) {
    this.#client = options.client;
    this.#address = options.address;
    this.#pod = options.pod;
    this.#warn = options.warn;
  }

  /** In the background, one after the other; each thing once. */
  publish(ingresses: readonly Ingress[], faults: readonly Fault[]): void {
    for (const ingress of ingresses) {
      const listed = ingress.status?.loadBalancer?.ingress ?? [];
      const key = `status ${ingress.metadata.uid}`;
      if (listed.length === 1 && listed[0]?.ip === this.#address) {
        this.#told.delete(key);
        continue;
      }
      this.#once(`${key} ${ingress.metadata.resourceVersion}`, () => this.#writeStatus(ingress));
    }
    for (const { ingress, reason, message } of faults) {
      this.#once(`event ${ingress.metadata.uid} ${reason} ${message}`, () =>
        this.#writeEvent(ingress, reason, message),
      );
    }
  }

  #once(key: string, work: () => Promise<unknown>): void {
    if (this.#told.has(key)) return;
    // Bounded: forgetting means telling again, which does no harm.
    if (this.#told.size > 10_000) this.#told.clear();
    this.#told.add(key);
    this.#queue = this.#queue.then(work).then(
      () => undefined,
      (error: unknown) => {
        if (isNotFound(error) || isConflict(error)) return;
        this.#warn(`publishing: ${(error as Error).message}`);
      },
    );
  }

  #writeStatus({ metadata }: Ingress): Promise<unknown> {
    const { name, namespace } = metadata;
    const status = { loadBalancer: { ingress: [{ ip: this.#address }] } };
    return this.#client.patchStatus(ingressResource, { status }, { namespace, name });
  }

  #writeEvent({ metadata }: Ingress, reason: string, message: string): Promise<unknown> {
    const { name, namespace = '', uid } = metadata;
    const now = new Date();
    const time = now.toISOString().replace(/\.\d+Z$/, 'Z');
    return this.#client.create(resources.events, {
      metadata: { name: eventName(name, now.getTime()), namespace },
      involvedObject: {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        name,
        namespace,
        ...(uid !== undefined && { uid }),
      },
      type: 'Warning',
      reason,
      message: message.slice(0, 1000),
      source: { component: 'nginx-ingress-controller' },
      reportingComponent: 'nginx-ingress-controller',
      reportingInstance: this.#pod,
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
    });
  }
}
