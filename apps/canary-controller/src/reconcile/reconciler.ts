import { canarySpecSchema, type CanarySpec } from '@keelson/contracts';
import type { CanaryResource } from '@keelson/kubernetes';
import type { Database } from '@keelson/persistence';
import { look, type EventSource } from '../analysis/look.ts';
import type { Prometheus } from '../analysis/prometheus.ts';
import { recordVerdict } from '../history/record-verdict.ts';
import { ReleaseChanged, type ReleaseRepository, type StoredRelease } from '../history/release.repository.ts';
import { preflight } from '../preflight/checks.ts';
import { decide, isFinished, lookIsDue } from '../release/decide.ts';
import type { ReleaseState, Snapshot } from '../release/state.ts';
import type { Cluster, ClusterView } from './cluster.ts';
import { identityOf } from './identity.ts';

export interface ReconcilerParts {
  readonly database: Database;
  readonly releases: ReleaseRepository;
  readonly cluster: Cluster;
  readonly prometheus: Prometheus;
  readonly events: EventSource;
  readonly clock: { now(): Date };
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** How often a route that does not yet look as asked is looked at again, ms. */
const ROUTE_CHECK_MS = 250;
/** How often a Canary is looked at though nothing was due, ms: a change that no watch told of is found so. */
const RESYNC_MS = 30_000;

/**
 * Brings one Canary forward: read everything, decide, make the decision durable, and only then touch the cluster. It
 * keeps nothing in memory between two calls, so that it may be ended anywhere.
 */
export class Reconciler {
  readonly #parts: ReconcilerParts;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
  }

  /** Returns in how many ms it wants to be called again. Throws what a retry may mend. */
  async reconcile(canary: CanaryResource): Promise<number> {
    const identity = identityOf(canary);
    const stored = await this.#parts.releases.find(identity.id);
    const spec = specOf(canary, stored);
    const view = await this.#parts.cluster.view(canary, spec);
    const now = this.#parts.clock.now();
    const snapshot = await this.#snapshot(canary, spec, stored, view, now);
    const verdict = decide(snapshot, now);
    if (verdict.next !== stored?.state) {
      try {
        await this.#parts.database.transaction((tx) =>
          recordVerdict(tx, this.#parts.releases, {
            identity,
            spec,
            verdict,
            expected: stored?.version,
            actor: 'controller',
            at: now,
          }),
        );
      } catch (error) {
        // A person's command came first: decide again on what it left.
        if (error instanceof ReleaseChanged) return 0;
        throw error;
      }
    }
    if (verdict.decision) {
      const { act, reason } = verdict.decision;
      this.#parts.log.info({ canary: `${identity.namespace}/${identity.name}`, act, reason }, 'decided');
    }
    const done = await this.#parts.cluster.bringRouteAbout(canary, spec, verdict.next, view);
    if (done !== undefined) {
      this.#parts.log.info({ canary: `${identity.namespace}/${identity.name}`, done }, 'route changed');
    }
    if (verdict.next !== stored?.state || canary.status?.phase !== verdict.next.phase) {
      await this.#parts.cluster.writeStatus(canary, verdict.next);
    }
    return done === undefined ? nextCallMs(snapshot, verdict.next, this.#parts.clock.now()) : 0;
  }

  async #snapshot(
    canary: CanaryResource,
    spec: CanarySpec,
    stored: StoredRelease | undefined,
    view: ClusterView,
    now: Date,
  ): Promise<Snapshot> {
    const { namespace, name } = identityOf(canary);
    const state = stored?.state;
    const others = (await this.#parts.releases.inNamespace(namespace)).map((other) => ({
      name: other.identity.name,
      spec: other.spec,
      state: other.state,
    }));
    const trafficFlows = view.route.canaryWeight !== undefined && view.route.canaryWeight === state?.weight;
    return {
      spec,
      generation: canary.metadata.generation ?? 1,
      state,
      findings: preflight({ ...view, canary: { namespace, name }, spec, others }),
      canary: view.canary,
      stable: view.stable,
      route: view.route,
      evidence:
        state && trafficFlows && lookIsDue(state, spec, now)
          ? await look(this.#parts, { namespace, spec, state, canary: view.canary, port: view.port }, now)
          : undefined,
    };
  }
}

/** The spec to act on: a release under way keeps the one it began with. */
function specOf(canary: CanaryResource, stored: StoredRelease | undefined): CanarySpec {
  return stored && !isFinished(stored.state) ? stored.spec : canarySpecSchema.parse(canary.spec);
}

function nextCallMs(snapshot: Snapshot, state: ReleaseState, now: Date): number {
  switch (state.phase) {
    case 'Promoting':
    case 'RollingBack':
      return ROUTE_CHECK_MS;
    case 'Pending':
      return 1_000;
    case 'Progressing':
    case 'Paused': {
      const last = state.lastLookAt ?? state.since;
      const due = last.getTime() + snapshot.spec.analysis.intervalSeconds * 1000 - now.getTime();
      return Math.min(Math.max(due, ROUTE_CHECK_MS), RESYNC_MS);
    }
    case 'RolledBack':
    case 'Promoted':
    case 'Refused':
      // The Canary was changed meanwhile: its next release need not wait.
      return snapshot.generation > state.release ? 0 : RESYNC_MS;
    default:
      return state.phase satisfies never;
  }
}
