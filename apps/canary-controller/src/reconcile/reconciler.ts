import { canarySpecSchema, type CanarySpec } from '@keelson/contracts';
import { isConflict, type CanaryResource } from '@keelson/kubernetes';
import type { Database } from '@keelson/persistence';
import { look, type EventSource } from '../analysis/look.ts';
import type { Prometheus } from '../analysis/prometheus.ts';
import { recordVerdict } from '../history/record-verdict.ts';
import {
  ReleaseChanged,
  type CanaryIdentity,
  type ReleaseRepository,
  type StoredRelease,
} from '../history/release.repository.ts';
import { preflight } from '../preflight/checks.ts';
import { decide, isFinished, lookIsDue, type Verdict } from '../release/decide.ts';
import { endRemoved } from '../release/removed.ts';
import { isRouteAsAsked, withTrouble } from '../release/route-check.ts';
import { noLaterThan, type ReleaseState, type Snapshot } from '../release/state.ts';
import type { Cluster, ClusterView } from './cluster.ts';
import { identityOf } from './identity.ts';
import type { ControllerMetrics } from './metrics.ts';

export interface ReconcilerParts {
  readonly database: Database;
  readonly releases: ReleaseRepository;
  readonly cluster: Cluster;
  readonly prometheus: Prometheus;
  readonly events: EventSource;
  readonly clock: { now(): Date };
  readonly metrics: ControllerMetrics;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** The right to act, which ends while a reconcile runs when another replica takes over. */
export interface Leadership {
  /** Throws where this replica leads no longer. Asked before each effect: a process may have slept in between. */
  check(): void;
  /** Ends what is on its way to the API server. */
  readonly signal: AbortSignal;
}

/** How often a route that does not yet look as asked is looked at again, ms. */
const ROUTE_CHECK_MS = 250;
/** How often a Canary is looked at though nothing was due, ms: a change that no watch told of is found so. */
const RESYNC_MS = 30_000;
/**
 * For so long after its end a release is looked at more often, ms: a write that a replica sent while it still led may
 * arrive late (its requests end after 30 s), and would bring the route of a release back that is over.
 */
const SETTLING_MS = 60_000;
const SETTLING_CHECK_MS = 2_000;

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
  async reconcile(canary: CanaryResource, leadership: Leadership): Promise<number> {
    const identity = identityOf(canary);
    const named = await this.#parts.releases.named(identity);
    for (const former of named.filter((one) => one.identity.id !== identity.id)) await this.#end(former, leadership);
    const stored = named.find((one) => one.identity.id === identity.id);
    const spec = specOf(canary, stored);
    const view = await this.#parts.cluster.view(canary, spec);
    const now = this.#parts.clock.now();
    const snapshot = await this.#snapshot(canary, spec, stored, view, now);
    const verdict = decide(snapshot, now);
    if (!(await this.#record(identity, spec, stored, verdict, now, leadership))) return 0;
    const done = await this.#bringRouteAbout(canary, spec, stored, verdict.next, view, leadership);
    const shown = canary.status;
    if (
      verdict.next !== stored?.state ||
      shown?.phase !== verdict.next.phase ||
      shown.release !== verdict.next.release
    ) {
      await this.#parts.cluster.writeStatus(canary, verdict.next, leadership.signal);
    }
    return done === undefined ? nextCallMs(snapshot, verdict.next, this.#parts.clock.now()) : 0;
  }

  /**
   * Ends the releases of Canaries that had this name and are gone: their route is taken away, and how they ended is
   * recorded and told. A watch that lags behind is no proof, so the API server is asked.
   */
  async forget(name: { namespace: string; name: string }, leadership: Leadership): Promise<void> {
    const stored = await this.#parts.releases.named(name);
    if (stored.length === 0) return;
    const present = await this.#parts.cluster.find(name);
    for (const release of stored) {
      if (release.identity.id !== present?.metadata.uid) await this.#end(release, leadership);
    }
  }

  async #end({ identity, spec, state, version }: StoredRelease, leadership: Leadership): Promise<void> {
    const { cluster, clock, database, releases, log } = this.#parts;
    leadership.check();
    await cluster.removeRouteOf(identity, leadership.signal);
    const backend = isFinished(state) ? undefined : await cluster.backendOf(identity.namespace, spec);
    const at = clock.now();
    const verdict = endRemoved(spec, state, backend, at);
    leadership.check();
    await database.transaction(async (tx) => {
      if (verdict) {
        await recordVerdict(tx, releases, { identity, spec, verdict, expected: version, actor: 'controller', at });
      }
      await releases.remove(tx, identity.id);
    });
    if (verdict) this.#decided(identity, verdict);
    else log.info({ canary: nameOf(identity) }, 'forgotten: the Canary was removed');
  }

  /** Whether the verdict is durable; not where somebody else decided first, or began on the same route. */
  async #record(
    identity: CanaryIdentity,
    spec: CanarySpec,
    stored: StoredRelease | undefined,
    verdict: Verdict,
    at: Date,
    leadership: Leadership,
  ): Promise<boolean> {
    if (verdict.next !== stored?.state) {
      const { database, releases } = this.#parts;
      const record = { identity, spec, verdict, expected: stored?.version, actor: 'controller', at };
      leadership.check();
      try {
        await database.transaction((tx) => recordVerdict(tx, releases, record));
      } catch (error) {
        if (error instanceof ReleaseChanged) return false;
        throw error;
      }
    }
    this.#decided(identity, verdict);
    return true;
  }

  async #bringRouteAbout(
    canary: CanaryResource,
    spec: CanarySpec,
    stored: StoredRelease | undefined,
    state: ReleaseState,
    view: ClusterView,
    leadership: Leadership,
  ): Promise<string | undefined> {
    const { cluster, log } = this.#parts;
    leadership.check();
    try {
      const done = await cluster.bringRouteAbout(canary, spec, state, view, leadership.signal);
      if (done !== undefined) log.info({ canary: nameOf(identityOf(canary)), done }, 'route changed');
      return done;
    } catch (error) {
      // Somebody wrote in between: the next look sees what. Anything else may last, and people must be told.
      if (!isConflict(error) && !leadership.signal.aborted) await this.#noteTrouble(canary, spec, stored, state, error);
      throw error;
    }
  }

  async #noteTrouble(
    canary: CanaryResource,
    spec: CanarySpec,
    stored: StoredRelease | undefined,
    state: ReleaseState,
    error: unknown,
  ): Promise<void> {
    const { database, releases, cluster, log } = this.#parts;
    const identity = identityOf(canary);
    const words = error instanceof Error ? error.message : String(error);
    const next = withTrouble(state, `the route could not be changed: ${words}`);
    if (next === state) return;
    // The verdict before this one was written a moment ago, if it differed from what was stored.
    const written = stored === undefined ? 1 : state === stored.state ? stored.version : stored.version + 1;
    try {
      await database.transaction((tx) => releases.save(tx, identity, spec, next, written));
      await cluster.writeStatus(canary, next);
    } catch (failure) {
      // What must be mended is the first error, which is logged and tried again.
      log.warn({ canary: nameOf(identity), reason: String(failure) }, 'the trouble of a release could not be noted');
    }
  }

  #decided(identity: CanaryIdentity, { decision }: Verdict): void {
    if (!decision) return;
    const { act, reason } = decision;
    this.#parts.metrics.decided(act);
    this.#parts.log.info({ canary: nameOf(identity), act, reason }, 'decided');
  }

  async #snapshot(
    canary: CanaryResource,
    spec: CanarySpec,
    stored: StoredRelease | undefined,
    view: ClusterView,
    now: Date,
  ): Promise<Snapshot> {
    const identity = identityOf(canary);
    const rival = await this.#parts.releases.onRoute(spec.route);
    const snapshot: Snapshot = {
      spec,
      generation: canary.metadata.generation ?? 1,
      state: stored?.state,
      findings: preflight({
        ...view,
        canary: identity,
        spec,
        nameTakenBy: view.route.nameTakenBy,
        rival: rival && rival.identity.id !== identity.id ? { ...rival.identity, state: rival.state } : undefined,
      }),
      canary: view.canary,
      stable: view.stable,
      route: view.route,
      evidence: undefined,
    };
    const state = stored && noLaterThan(stored.state, now);
    if (!state || !lookIsDue(state, spec, now) || !isRouteAsAsked(snapshot, state)) return snapshot;
    const target = { namespace: identity.namespace, spec, state, canary: view.canary, port: view.port };
    const evidence = await look(this.#parts, target, now);
    this.#parts.metrics.looked(evidence);
    return { ...snapshot, evidence };
  }
}

/** The spec to act on: a release under way keeps the one it began with. */
function specOf(canary: CanaryResource, stored: StoredRelease | undefined): CanarySpec {
  return stored && !isFinished(stored.state) ? stored.spec : canarySpecSchema.parse(canary.spec);
}

const nameOf = ({ namespace, name }: CanaryIdentity): string => `${namespace}/${name}`;

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
      if (snapshot.generation > state.release) return 0;
      return now.getTime() - state.since.getTime() < SETTLING_MS ? SETTLING_CHECK_MS : RESYNC_MS;
    default:
      return state.phase satisfies never;
  }
}
