import {
  type EndpointSlice,
  type Informer,
  isConflict,
  isNotFound,
  type KubernetesClient,
  resources,
} from '@keelson/kubernetes';
import { isDeepStrictEqual } from 'node:util';

import { type EndpointSliceObject, type PodObject, type ServiceObject, controllerOf, matches } from '../objects.ts';
import { WorkQueue } from '../queue.ts';
import { type WantedSlice, wantedSlices } from './slices.ts';

export interface Informers {
  services: Informer<ServiceObject>;
  pods: Informer<PodObject>;
  slices: Informer<EndpointSliceObject>;
  nodes: Informer;
}

const serviceLabel = 'kubernetes.io/service-name';
const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
const manager = 'endpointslice-controller.k8s.io';

/** Keeps each Service's EndpointSlices in line with the pods that it selects. */
export class EndpointSliceController {
  readonly #client: KubernetesClient;
  readonly #informers: Informers;
  readonly #queue: WorkQueue;
  /** The last write per slice; until the cache shows it, it is not to be written over from an older picture. */
  readonly #written = new Map<string, string>();

  constructor(client: KubernetesClient, informers: Informers, log: (text: string) => void) {
    this.#client = client;
    this.#informers = informers;
    this.#queue = new WorkQueue({
      name: 'endpointslice',
      sync: (key) => this.#sync(key),
      expected: (error) => isConflict(error) || isNotFound(error),
      log,
    });
    informers.services.onChange((_type, { metadata }) => this.#queue.add(`${metadata.namespace}/${metadata.name}`));
    informers.slices.onChange((type, { metadata }) => {
      const service = metadata.labels?.[serviceLabel];
      if (type === 'DELETED') this.#written.delete(metadata.uid);
      if (service && metadata.labels?.[managedByLabel] === manager) this.#queue.add(`${metadata.namespace}/${service}`);
    });
    informers.pods.onChange((_type, pod, previous) => {
      for (const service of informers.services.list(pod.metadata.namespace)) {
        if (selects(service, pod) || (previous && selects(service, previous))) {
          this.#queue.add(`${service.metadata.namespace}/${service.metadata.name}`);
        }
      }
    });
    informers.nodes.onChange((type) => {
      if (type === 'MODIFIED') return;
      for (const { metadata } of informers.services.list()) this.#queue.add(`${metadata.namespace}/${metadata.name}`);
    });
  }

  stop(): void {
    this.#queue.stop();
  }

  async #sync(key: string): Promise<void> {
    const [namespace = '', name = ''] = key.split('/');
    const service = this.#informers.services.get(namespace, name);
    if (!service?.spec.selector || service.spec.type === 'ExternalName' || service.metadata.deletionTimestamp) return;
    const pods = this.#informers.pods.list(namespace).filter((pod) => selects(service, pod));
    const wanted = wantedSlices(service, pods, (node) => this.#informers.nodes.get(undefined, node) !== undefined);
    const slices = this.#informers.slices
      .list(namespace)
      .filter(
        ({ metadata }) =>
          metadata.labels?.[managedByLabel] === manager && controllerOf(metadata)?.uid === service.metadata.uid,
      )
      .sort((a, b) => a.metadata.name.localeCompare(b.metadata.name));
    // Slices in their order: an endpoint that comes or goes changes one of them, mostly.
    for (let i = 0; i < Math.max(wanted.length, slices.length); i++) {
      const slice = slices[i];
      const want = wanted[i];
      if (want && slice) await this.#replace(slice, want);
      else if (want) await this.#create(service, want, i);
      else if (slice) await this.#client.delete(resources.endpointSlices, { namespace, name: slice.metadata.name });
    }
  }

  async #create({ metadata }: ServiceObject, want: WantedSlice, index: number): Promise<void> {
    const { namespace, name, uid, labels = {} } = metadata;
    const slice = {
      metadata: {
        // A fixed name: created twice from an old picture, the second is refused rather than left over.
        name: `${name}-${uid.slice(0, 5)}${index === 0 ? '' : `-${index}`}`,
        namespace,
        labels: { ...labels, [serviceLabel]: name, [managedByLabel]: manager },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name, uid, controller: true, blockOwnerDeletion: true }],
      },
      addressType: 'IPv4',
      ports: want.ports,
      endpoints: orNull(want.endpoints),
    };
    await this.#client.create(resources.endpointSlices, slice as unknown as EndpointSlice, { namespace });
  }

  async #replace(slice: EndpointSliceObject, { ports, endpoints }: WantedSlice): Promise<void> {
    const same = isDeepStrictEqual(slice.endpoints ?? [], endpoints) && isDeepStrictEqual(slice.ports ?? [], ports);
    const { uid, resourceVersion, namespace } = slice.metadata;
    if (same || this.#written.get(uid) === resourceVersion) return;
    const next = { ...slice, ports, endpoints: orNull(endpoints) };
    await this.#client.replace(resources.endpointSlices, next as unknown as EndpointSlice, { namespace });
    // What we read is outdated by our own write: the watch brings the new one, and with it the next look.
    this.#written.set(uid, resourceVersion);
  }
}

const selects = ({ spec }: ServiceObject, pod: PodObject): boolean =>
  spec.selector !== undefined &&
  Object.keys(spec.selector).length > 0 &&
  matches({ matchLabels: spec.selector }, pod.metadata.labels);

/** The real controller writes a nil list. */
const orNull = <T>(list: T[]): T[] | null => (list.length > 0 ? list : null);
