import type { CanarySpec } from '@keelson/contracts';
import {
  apiVersionOf,
  isNotFound,
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
  isCanaryIngress,
  locateRoute,
  says,
  switchedIngress,
  weightOf,
  type Ingress,
} from '../routing/ingress-nginx.ts';
import { canaryStatus } from './status.ts';

/** Who owns the fields that this controller applies. */
const FIELD_MANAGER = 'keelson-canary-controller';
/** A read that takes longer is tried again with the next reconcile. */
const READ_TIMEOUT_MS = 10_000;

/** What the cluster shows of one Canary's release, read at one moment. */
export interface ClusterView {
  readonly canary: Workload;
  readonly stable: Workload;
  readonly ingress: Ingress | undefined;
  /** Ours; undefined where there is none, or one of that name that is not ours. */
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
    const named = (name: string) => ({ namespace, name, timeoutMs: READ_TIMEOUT_MS });
    const [canaryDeployment, stableDeployment, canaryService, stableService, ingress, found] = await Promise.all([
      this.#client.find(resources.deployments, named(spec.canary.deployment)),
      this.#client.find(resources.deployments, named(spec.stable.deployment)),
      this.#client.find(resources.services, named(spec.canary.service)),
      this.#client.find(resources.services, named(spec.stable.service)),
      this.#client.find(resources.ingresses, named(spec.route.ingress)) as Promise<Ingress | undefined>,
      this.#canaryIngress(namespace, canary.metadata.name!),
    ]);
    const backend = ingress && locateRoute(ingress, spec.route)?.entry.backend.service;
    const ours = found && isCanaryIngress(found, { name: canary.metadata.name! }) ? found : undefined;
    return {
      port: backend?.port.name ?? backend?.port.number ?? 80,
      canary: workloadOf(spec.canary, canaryDeployment, canaryService),
      stable: workloadOf(spec.stable, stableDeployment, stableService),
      ingress,
      canaryIngress: ours,
      route: {
        stableBackend: backend?.name,
        canaryWeight: ours && weightOf(ours),
        ...(found && !ours ? { nameTakenBy: found.metadata.name } : {}),
      },
      stableService: stableService && serviceView(stableService),
      canaryService: canaryService && serviceView(canaryService),
      stableLabels: stableDeployment?.spec?.template?.metadata?.labels,
      canaryLabels: canaryDeployment?.spec?.template?.metadata?.labels,
    };
  }

  /** The Canary as the API server has it now, whatever the watch says. */
  find(name: { namespace: string; name: string }): Promise<CanaryResource | undefined> {
    return this.#client.find(resources.canaries, { ...name, timeoutMs: READ_TIMEOUT_MS });
  }

  /** Whether the API server knows Canaries and lets this controller read them. */
  async servesCanaries(): Promise<boolean> {
    await this.#client.list(resources.canaries, { limit: 1, timeoutMs: READ_TIMEOUT_MS });
    return true;
  }

  /** Service to which an Ingress sends the route of this spec. */
  async backendOf(namespace: string, spec: CanarySpec): Promise<string | undefined> {
    const name = { namespace, name: spec.route.ingress, timeoutMs: READ_TIMEOUT_MS };
    const ingress = (await this.#client.find(resources.ingresses, name)) as Ingress | undefined;
    return ingress && locateRoute(ingress, spec.route)?.entry.backend.service?.name;
  }

  /**
   * Brings the route to what the state asks for, one change at a time; returns what it did in words, or undefined where
   * the cluster is already so. Every change may be made twice.
   *
   * @param signal ends a change that has not reached the API server yet
   */
  async bringRouteAbout(
    canary: CanaryResource,
    spec: CanarySpec,
    state: ReleaseState,
    view: ClusterView,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    const desired = desiredRoute(state);
    switch (desired.kind) {
      case 'none':
        return view.canaryIngress && this.#remove(view.canaryIngress, signal);
      case 'split':
        return this.#split(canary, spec, view, desired.weight, signal);
      case 'switch':
        return this.#switch(canary, spec, view, signal);
      default:
        return desired satisfies never;
    }
  }

  /** Removes what the controller made for a Canary that is gone, without waiting for the garbage collector. */
  async removeRouteOf(canary: { namespace: string; name: string; id: string }, signal?: AbortSignal): Promise<void> {
    const found = await this.#canaryIngress(canary.namespace, canary.name);
    if (!found || !isCanaryIngress(found, canary)) return;
    // Of a Canary made anew under the same name it is the new one's.
    if (found.metadata.ownerReferences?.[0]?.uid === canary.id) await this.#remove(found, signal);
  }

  /** Writes the status subresource, for kubectl and for people. */
  async writeStatus(canary: CanaryResource, state: ReleaseState, signal?: AbortSignal): Promise<void> {
    const { namespace, name, uid } = canary.metadata;
    await this.#client.applyStatus(
      resources.canaries,
      {
        apiVersion: apiVersionOf(resources.canaries),
        kind: 'Canary',
        // With the uid, the status of a Canary that was removed does not land on another one of its name.
        metadata: { namespace: namespace!, name: name!, uid: uid! },
        status: canaryStatus(canary, state),
      } as CanaryResource,
      { fieldManager: FIELD_MANAGER, force: true, signal },
    );
  }

  async #split(
    canary: CanaryResource,
    spec: CanarySpec,
    view: ClusterView,
    weight: number,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const location = view.ingress && locateRoute(view.ingress, spec.route);
    // What is in the way is told as the trouble of the release; there is nothing to split meanwhile.
    if (!view.ingress || !location || view.route.nameTakenBy !== undefined) return undefined;
    const wanted = canaryIngress(reference(canary), spec, view.ingress, location, weight);
    if (view.canaryIngress && says(wanted, view.canaryIngress)) return undefined;
    const done = `${weight} % to ${spec.canary.service}`;
    const options = { fieldManager: FIELD_MANAGER, signal };
    const applied = await this.#client.apply(resources.ingresses, wanted, options);
    if (applied.kind === 'applied') return done;
    // The object is ours alone; where somebody edited it, the release would stand still until they undo it. As the
    // documentation of server-side apply tells controllers to do, their changes are overruled, and named in the log.
    await this.#client.apply(resources.ingresses, wanted, { ...options, force: true });
    const overruled = applied.causes.map((cause) => `${cause.field} of ${cause.manager}`).join(', ');
    return `${done}, overruling ${overruled}`;
  }

  async #switch(
    canary: CanaryResource,
    spec: CanarySpec,
    view: ClusterView,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const location = view.ingress && locateRoute(view.ingress, spec.route);
    if (!view.ingress || !location) return undefined;
    if (view.route.stableBackend === spec.canary.service) {
      return view.canaryIngress && this.#remove(view.canaryIngress, signal);
    }
    // Somebody sent the traffic elsewhere meanwhile: theirs to say where it belongs.
    if (view.route.stableBackend !== spec.stable.service) return undefined;
    if (view.route.canaryWeight !== 100) return this.#split(canary, spec, view, 100, signal);
    const switched = switchedIngress(view.ingress, location, spec.canary.service);
    await this.#client.apply(resources.ingresses, switched, { fieldManager: FIELD_MANAGER, force: true, signal });
    return `Ingress ${spec.route.ingress} points to ${spec.canary.service}`;
  }

  async #canaryIngress(namespace: string, canary: string): Promise<Ingress | undefined> {
    const name = canaryIngressName({ name: canary });
    const found = await this.#client.find(resources.ingresses, { namespace, name, timeoutMs: READ_TIMEOUT_MS });
    return found as Ingress | undefined;
  }

  async #remove({ metadata }: Ingress, signal: AbortSignal | undefined): Promise<string> {
    const { namespace, name, uid } = metadata;
    const preconditions = uid === undefined ? {} : { preconditions: { uid } };
    try {
      await this.#client.delete(resources.ingresses, { namespace, name, ...preconditions, signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return `Ingress ${name} removed`;
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
