import { Informer, type KubernetesClient } from '@keelson/kubernetes';
import { endpointsOf } from './endpoints/endpoints.ts';
import type { Upstreams } from './endpoints/upstreams.ts';
import {
  endpointSliceResource,
  ingressResource,
  secretResource,
  serviceResource,
  type EndpointSlice,
  type Ingress,
  type Secret,
  type Service,
} from './kubernetes-objects.ts';
import { compile, isOurs, type Fault } from './routing/compile.ts';
import type { Backend, RoutingTable } from './routing/table.ts';
import type { Certificates } from './tls/certificates.ts';

/**
 * Follows the cluster. A change of an EndpointSlice counts at once, without a new table; one of an Ingress or a Service
 * makes a new table in the same turn of the event loop; one of a Secret replaces a certificate.
 */
export class ClusterState {
  readonly ingresses: Informer<Ingress>;
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #secrets: Informer<Secret>;
  readonly #className: string;
  readonly #upstreams: Upstreams;
  readonly #onTable: (table: RoutingTable, faults: Fault[], ours: Ingress[]) => void;
  readonly #slicesByService = new Map<string, Map<string, EndpointSlice>>();
  #table: RoutingTable;
  #scheduled = false;
  #ready = false;

  constructor(options: {
    client: KubernetesClient;
    className: string;
    namespace: string | undefined;
    upstreams: Upstreams;
    certificates: Certificates;
    onTable: (table: RoutingTable, faults: Fault[], ours: Ingress[]) => void;
    onCertificate: () => void;
    warn: (message: string) => void;
  }) {
    const { client, namespace, certificates, onCertificate, warn } = options;
    this.#className = options.className;
    this.#upstreams = options.upstreams;
    this.#onTable = options.onTable;
    this.#table = compile([], options.className).table;
    const common = {
      client,
      namespace,
      onError: (error: unknown, next: { retryInMs: number }) => {
        warn(`watching: ${(error as Error).message}; next attempt in ${Math.round(next.retryInMs)} ms`);
      },
    };
    this.ingresses = new Informer<Ingress>({ ...common, resource: ingressResource });
    this.#services = new Informer<Service>({ ...common, resource: serviceResource });
    this.#slices = new Informer<EndpointSlice>({ ...common, resource: endpointSliceResource });
    // A default certificate may lie in another namespace than the one that is served.
    this.#secrets = new Informer<Secret>({
      ...common,
      namespace: undefined,
      resource: secretResource,
      keep: onlyCertificate,
    });
    this.ingresses.onChange(() => this.#recompileSoon());
    this.#services.onChange(() => this.#recompileSoon());
    this.#slices.onChange((type, slice) => this.#sliceChanged(type === 'DELETED', slice));
    this.#secrets.onChange((type, secret) => {
      if (type === 'DELETED') certificates.remove(secret);
      else certificates.put(secret);
      onCertificate();
    });
  }

  /** Resolves once everything that was there is routed. */
  async start(): Promise<void> {
    const all = [this.ingresses, this.#services, this.#slices, this.#secrets];
    for (const informer of all) informer.start();
    await Promise.all(all.map((informer) => informer.synced));
    this.#ready = true;
    this.#recompile();
  }

  async stop(): Promise<void> {
    await Promise.all([this.ingresses, this.#services, this.#slices, this.#secrets].map((informer) => informer.stop()));
  }

  #sliceChanged(deleted: boolean, slice: EndpointSlice): void {
    const service = `${slice.metadata.namespace}/${slice.metadata.labels?.['kubernetes.io/service-name'] ?? ''}`;
    const slices = this.#slicesByService.get(service) ?? new Map<string, EndpointSlice>();
    if (deleted) slices.delete(slice.metadata.name);
    else slices.set(slice.metadata.name, slice);
    if (slices.size === 0) this.#slicesByService.delete(service);
    else this.#slicesByService.set(service, slices);
    if (!this.#ready) return;
    for (const backend of this.#table.backends.values()) {
      if (`${backend.namespace}/${backend.service}` === service) this.#setEndpoints(backend);
    }
  }

  #recompileSoon(): void {
    if (this.#scheduled || !this.#ready) return;
    this.#scheduled = true;
    // Many changes of one read of the watch make one table.
    setImmediate(() => {
      this.#scheduled = false;
      this.#recompile();
    });
  }

  #recompile(): void {
    const ours = this.ingresses.list().filter((ingress) => isOurs(ingress, this.#className));
    const { table, faults } = compile(ours, this.#className);
    this.#table = table;
    for (const backend of table.backends.values()) this.#setEndpoints(backend);
    this.#upstreams.retain(new Set(table.backends.keys()));
    this.#onTable(table, faults, ours);
  }

  #setEndpoints(backend: Backend): void {
    const service = this.#services.get(backend.namespace, backend.service);
    const slices = [...(this.#slicesByService.get(`${backend.namespace}/${backend.service}`)?.values() ?? [])];
    this.#upstreams.set(backend.name, endpointsOf(service, backend.port, slices));
  }
}

/** Nothing else of a Secret is kept in memory. */
function onlyCertificate(secret: Secret): Secret {
  const { data = {}, metadata } = secret;
  const kept = Object.fromEntries(Object.entries(data).filter(([key]) => key === 'tls.crt' || key === 'tls.key'));
  return { ...secret, metadata, data: 'tls.crt' in kept ? kept : {} };
}
