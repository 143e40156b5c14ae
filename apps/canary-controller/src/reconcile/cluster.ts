import type { CanarySpec } from '@keelson/contracts';
import {
  apiVersionOf,
  KubernetesError,
  resources,
  type CanaryResource,
  type Deployment,
  type KubernetesClient,
  type Service,
} from '@keelson/kubernetes';
import type { ServiceView } from '../preflight/checks.ts';
import type { ObservedRoute, ReleaseState, Workload } from '../release/state.ts';
import { desiredRoute } from '../routing/desired-route.ts';
import {
  canaryIngress,
  canaryIngressName,
  locateRoute,
  switchBackendPatch,
  weightOf,
  type Ingress,
} from '../routing/ingress-nginx.ts';
import { canaryStatus } from './status.ts';

/** Who owns the fields that this controller applies. */
const FIELD_MANAGER = 'keelson-canary-controller';

/** What the cluster shows of one Canary's release, read at one moment. */
export interface ClusterView {
  readonly canary: Workload;
  readonly stable: Workload;
  readonly ingress: Ingress | undefined;
  readonly canaryIngress: Ingress | undefined;
  readonly route: ObservedRoute;
  /** Port of the Services that the user's Ingress names, by name or number. */
  readonly port: string | number;
  readonly stableService: ServiceView | undefined;
  readonly canaryService: ServiceView | undefined;
  readonly stableLabels: Record<string, string> | undefined;
  readonly canaryLabels: Record<string, string> | undefined;
}

/**
 * The cluster as the controller sees and changes it. Reads go to the API server, not to a cache: a decision must not
 * rest on a route that this very process changed a moment ago.
 */
export class Cluster {
  readonly #client: KubernetesClient;

  constructor(client: KubernetesClient) {
    this.#client = client;
  }

  /** Reads both versions and the route. */
  async view(canary: CanaryResource, spec: CanarySpec): Promise<ClusterView> {
    const namespace = canary.metadata.namespace!;
    const named = (name: string) => ({ namespace, name });
    const [canaryDeployment, stableDeployment, canaryService, stableService, ingress, ours] = await Promise.all([
      orMissing(this.#client.get(resources.deployments, named(spec.canary.deployment))),
      orMissing(this.#client.get(resources.deployments, named(spec.stable.deployment))),
      orMissing(this.#client.get(resources.services, named(spec.canary.service))),
      orMissing(this.#client.get(resources.services, named(spec.stable.service))),
      orMissing(this.#client.get(resources.ingresses, named(spec.route.ingress))) as Promise<Ingress | undefined>,
      orMissing(
        this.#client.get(resources.ingresses, named(canaryIngressName({ name: canary.metadata.name! }))),
      ) as Promise<Ingress | undefined>,
    ]);
    const backend = ingress && locateRoute(ingress, spec.route)?.entry.backend.service;
    return {
      port: backend?.port.name ?? backend?.port.number ?? 80,
      canary: workloadOf(spec.canary, canaryDeployment, canaryService),
      stable: workloadOf(spec.stable, stableDeployment, stableService),
      ingress,
      canaryIngress: ours,
      route: {
        stableBackend: backend?.name,
        canaryWeight: ours && weightOf(ours),
      },
      stableService: stableService && serviceView(stableService),
      canaryService: canaryService && serviceView(canaryService),
      stableLabels: stableDeployment?.spec?.template?.metadata?.labels,
      canaryLabels: canaryDeployment?.spec?.template?.metadata?.labels,
    };
  }

  /**
   * Brings the route to what the state asks for, one change at a time; returns what it did in words, or undefined where
   * the cluster is already so. Every change may be made twice.
   */
  async bringRouteAbout(
    canary: CanaryResource,
    spec: CanarySpec,
    state: ReleaseState,
    view: ClusterView,
  ): Promise<string | undefined> {
    const desired = desiredRoute(state);
    switch (desired.kind) {
      case 'released':
        return undefined;
      case 'stable':
        return this.#removeCanaryIngress(canary, view);
      case 'split':
        return this.#split(canary, spec, view, desired.weight);
      case 'switch':
        return this.#switch(canary, spec, view);
      default:
        return desired satisfies never;
    }
  }

  /** Writes the status subresource, for kubectl and for people. */
  async writeStatus(canary: CanaryResource, state: ReleaseState): Promise<void> {
    const { namespace, name } = canary.metadata;
    await this.#client.applyStatus(
      resources.canaries,
      {
        apiVersion: apiVersionOf(resources.canaries),
        kind: 'Canary',
        metadata: { namespace: namespace!, name: name! },
        status: canaryStatus(canary, state),
      } as CanaryResource,
      { fieldManager: FIELD_MANAGER, force: true },
    );
  }

  async #split(
    canary: CanaryResource,
    spec: CanarySpec,
    view: ClusterView,
    weight: number,
  ): Promise<string | undefined> {
    if (view.route.canaryWeight === weight && view.canaryIngress) return undefined;
    const location = view.ingress && locateRoute(view.ingress, spec.route);
    if (!view.ingress || !location) return undefined; // the user removed the route: nothing can be split
    await this.#applyCanaryIngress(canary, canaryIngress(reference(canary), spec, view.ingress, location, weight));
    return `${weight} % to ${spec.canary.service}`;
  }

  async #switch(canary: CanaryResource, spec: CanarySpec, view: ClusterView): Promise<string | undefined> {
    const location = view.ingress && locateRoute(view.ingress, spec.route);
    if (!view.ingress || !location) return undefined;
    if (view.route.stableBackend === spec.canary.service) return this.#removeCanaryIngress(canary, view);
    if (view.route.canaryWeight !== 100) return this.#split(canary, spec, view, 100);
    await this.#client.patch(
      resources.ingresses,
      [...switchBackendPatch(location, spec.stable.service, spec.canary.service)],
      { namespace: canary.metadata.namespace!, name: spec.route.ingress, type: 'json', fieldManager: FIELD_MANAGER },
    );
    return `Ingress ${spec.route.ingress} points to ${spec.canary.service}`;
  }

  async #applyCanaryIngress(canary: CanaryResource, object: Ingress): Promise<void> {
    const applied = await this.#client.apply(resources.ingresses, object, { fieldManager: FIELD_MANAGER });
    if (applied.kind === 'conflict') {
      const owners = applied.causes.map((cause) => `${cause.field} (${cause.manager})`).join(', ');
      throw new Error(
        `Ingress ${object.metadata.name} of Canary ${canary.metadata.name} was changed by someone else: ${owners}; undo it there`,
      );
    }
  }

  async #removeCanaryIngress(canary: CanaryResource, view: ClusterView): Promise<string | undefined> {
    if (!view.canaryIngress) return undefined;
    const { namespace, name } = view.canaryIngress.metadata;
    await orMissing(this.#client.delete(resources.ingresses, { namespace, name }));
    return `Ingress ${name} of Canary ${canary.metadata.name} removed`;
  }
}

const reference = (canary: CanaryResource) => ({
  name: canary.metadata.name!,
  namespace: canary.metadata.namespace!,
  uid: canary.metadata.uid!,
  apiVersion: apiVersionOf(resources.canaries),
});

function workloadOf(
  names: { deployment: string; service: string },
  deployment: Deployment | undefined,
  service: Service | undefined,
): Workload {
  if (!deployment) return { kind: 'missing', what: `Deployment ${names.deployment}` };
  if (!service) return { kind: 'missing', what: `Service ${names.service}` };
  const wanted = deployment.spec?.replicas ?? 1;
  const ready = deployment.status?.readyReplicas ?? 0;
  const seen = (deployment.status?.observedGeneration ?? 0) >= (deployment.metadata?.generation ?? 0);
  // Scaled to nothing is not ready: nobody could answer.
  return { kind: seen && wanted > 0 && ready >= wanted ? 'ready' : 'starting', ready, wanted };
}

function serviceView(service: Service): ServiceView {
  return {
    selector: service.spec?.selector ?? {},
    ports: (service.spec?.ports ?? []).map(({ name, port }) => ({ ...(name === undefined ? {} : { name }), port })),
  };
}

async function orMissing<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof KubernetesError && error.status === 404) return undefined;
    throw error;
  }
}
