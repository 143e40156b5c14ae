import { eventName, isConflict, isNotFound, resources, type KubernetesClient } from '@keelson/kubernetes';
import { ingressResource, type Ingress } from '../kubernetes-objects.ts';
import type { Fault } from '../routing/compile.ts';
import { Standing } from './standing.ts';

/** Longer than a controller takes from the first to the last change of a route. */
const SETTLE_MS = 3_000;

/** Tells the owners of Ingresses: the address in status.loadBalancer, and what has no effect as Warning events. */
export class Publisher {
  readonly #client: KubernetesClient;
  readonly #address: string;
  readonly #pod: string;
  readonly #told = new Set<string>();
  readonly #warn: (message: string) => void;
  readonly #standing = new Standing(SETTLE_MS);
  #faults: ReadonlyMap<string, Fault> = new Map();
  #next: NodeJS.Timeout | undefined;
  #queue: Promise<void> = Promise.resolve();

  constructor(options: { client: KubernetesClient; address: string; pod: string; warn: (message: string) => void }) {
    this.#client = options.client;
    this.#address = options.address;
    this.#pod = options.pod;
    this.#warn = options.warn;
  }

  /** In the background, one after the other; each thing once, faults only if they last. */
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
    this.#faults = new Map(
      faults.map((fault) => [`event ${fault.ingress.metadata.uid} ${fault.reason} ${fault.message}`, fault]),
    );
    this.#tellFaults();
  }

  /** Those that have stood for a while, now and when more of them will have. */
  #tellFaults(): void {
    clearTimeout(this.#next);
    const { due, nextMs } = this.#standing.look(this.#faults.keys(), performance.now());
    for (const key of due) {
      const fault = this.#faults.get(key);
      if (fault) this.#once(key, () => this.#writeEvent(fault.ingress, fault.reason, fault.message));
    }
    if (nextMs !== undefined) this.#next = setTimeout(() => this.#tellFaults(), nextMs).unref();
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
