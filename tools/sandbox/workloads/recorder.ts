import { type CoreEvent, eventName, type KubernetesClient, resources } from '@keelson/kubernetes';

import type { Meta } from './objects.ts';

export interface Involved {
  apiVersion: string;
  kind: string;
  metadata: Meta;
}

/** Writes the Events that the real controllers write; one that cannot be written is logged and let go. */
export class Recorder {
  readonly #client: KubernetesClient;
  readonly #component: string;
  readonly #log: (text: string) => void;

  constructor(client: KubernetesClient, component: string, log: (text: string) => void) {
    this.#client = client;
    this.#component = component;
    this.#log = log;
  }

  event(about: Involved, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { name, namespace, uid, resourceVersion } = about.metadata;
    const at = new Date();
    const now = at.toISOString().replace(/\.\d+Z$/, 'Z');
    const event: CoreEvent = {
      metadata: { name: eventName(name, at.getTime()), namespace },
      involvedObject: { apiVersion: about.apiVersion, kind: about.kind, name, namespace, uid, resourceVersion },
      type,
      reason,
      message,
      source: { component: this.#component },
      reportingComponent: this.#component,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    };
    this.#client.create(resources.events, event, { namespace }).catch((error: unknown) => {
      this.#log(`event ${reason} of ${namespace}/${name} was not written: ${String(error)}`);
    });
  }
}
