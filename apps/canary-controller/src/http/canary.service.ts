import type { Canary, CanaryPhase, CanarySpec, Decision } from '@keelson/contracts';
import {
  apiVersionOf,
  KubernetesError,
  resources,
  type CanaryResource,
  type KubernetesClient,
} from '@keelson/kubernetes';
import type { Database } from '@keelson/persistence';
import { CallerError, type Clock, type Principal } from '@keelson/service-kit';
import { recordVerdict } from '../history/record-verdict.ts';
import type { ReleaseRepository } from '../history/release.repository.ts';
import type { ControllerLoop } from '../reconcile/controller-loop.ts';
import { identityOf, TEAM_LABEL } from '../reconcile/identity.ts';
import { applyCommand, type Command } from '../release/command.ts';
import { isFinished } from '../release/decide.ts';
import { canaryView } from './canary-view.ts';
import './problems.ts';

type Name = { readonly namespace: string; readonly name: string };

/** What people may do with Canaries over HTTP; the same as with kubectl, and the commands that kubectl has no verb for. */
export class CanaryService {
  readonly #client: KubernetesClient;
  readonly #loop: ControllerLoop;
  readonly #database: Database;
  readonly #releases: ReleaseRepository;
  readonly #clock: Clock;

  constructor(parts: {
    client: KubernetesClient;
    loop: ControllerLoop;
    database: Database;
    releases: ReleaseRepository;
    clock: Clock;
  }) {
    this.#client = parts.client;
    this.#loop = parts.loop;
    this.#database = parts.database;
    this.#releases = parts.releases;
    this.#clock = parts.clock;
  }

  /** The team's Canaries by namespace and name. */
  async list(
    principal: Principal,
    filter: {
      namespace?: string | undefined;
      phase?: CanaryPhase | undefined;
      after: string | undefined;
      limit: number;
    },
  ): Promise<{ items: Canary[]; more: boolean }> {
    const releases = new Map((await this.#releases.all()).map((release) => [release.identity.id, release]));
    const rows = this.#loop
      .list()
      .map((canary) => canaryView(canary, releases.get(canary.metadata.uid ?? '')))
      .filter(
        (canary) =>
          principal.canSee(canary.team) &&
          (filter.namespace === undefined || canary.namespace === filter.namespace) &&
          (filter.phase === undefined || canary.phase === filter.phase),
      )
      .sort((a, b) => compare(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`))
      .filter(
        (canary) => filter.after === undefined || compare(`${canary.namespace}/${canary.name}`, filter.after) > 0,
      );
    return { items: rows.slice(0, filter.limit), more: rows.length > filter.limit };
  }

  async get(principal: Principal, name: Name): Promise<Canary> {
    const canary = await this.#find(principal, name);
    return canaryView(canary, await this.#releases.find(identityOf(canary).id));
  }

  /** Creates the Canary or changes its spec, which begins its next release. */
  async apply(principal: Principal, wanted: Name & { spec: CanarySpec }): Promise<Canary> {
    const existing = await this.#read(wanted);
    // Another team's Canary must look as if it were not there, but its name cannot be taken either.
    if (existing && !principal.canSee(identityOf(existing).team)) {
      throw new CallerError('conflict', { detail: `${wanted.namespace}/${wanted.name} is taken; choose another name` });
    }
    await this.#refuseTakenRoute(wanted);
    const team = existing ? identityOf(existing).team : principal.team === '*' ? 'platform' : principal.team;
    const applied = await this.#applyResource(wanted, team, `keelson-http-${principal.name}`);
    this.#loop.nudge(applied);
    const stored = await this.#releases.find(identityOf(applied).id);
    const isCurrent = stored && stored.state.release >= (applied.metadata.generation ?? 1);
    return canaryView(applied, isCurrent ? stored : undefined);
  }

  async delete(principal: Principal, name: Name): Promise<void> {
    await this.#find(principal, name);
    await this.#client.delete(resources.canaries, name);
  }

  async decisions(
    principal: Principal,
    name: Name,
    page: { release?: number | undefined; before: string | undefined; limit: number },
  ): Promise<Decision[]> {
    await this.#find(principal, name);
    return this.#releases.decisions({ ...name, ...page });
  }

  /** Carries a person's command out; durable before it is answered. */
  async command(principal: Principal, name: Name, command: Command): Promise<Canary> {
    const canary = await this.#find(principal, name);
    const identity = identityOf(canary);
    const now = this.#clock.now();
    await this.#database.transaction(async (tx) => {
      const stored = await this.#releases.lock(tx, identity.id);
      if (!stored) {
        throw new CallerError('wrong-phase', {
          detail: 'the release has not begun; try again in a moment',
          retryAfterSeconds: 1,
        });
      }
      const outcome = applyCommand(stored.spec, stored.state, command, now);
      if (outcome.kind === 'wrong-phase') throw new CallerError('wrong-phase', { detail: outcome.detail });
      if (outcome.kind === 'unchanged') return;
      await recordVerdict(tx, this.#releases, {
        identity,
        spec: stored.spec,
        verdict: outcome.verdict,
        expected: stored.version,
        actor: principal.name,
        at: now,
      });
    });
    this.#loop.nudge(canary);
    return canaryView(canary, await this.#releases.find(identity.id));
  }

  async #applyResource(
    wanted: Name & { spec: CanarySpec },
    team: string,
    fieldManager: string,
  ): Promise<CanaryResource> {
    try {
      const applied = await this.#client.apply(
        resources.canaries,
        {
          apiVersion: apiVersionOf(resources.canaries),
          kind: 'Canary',
          metadata: { namespace: wanted.namespace, name: wanted.name, labels: { [TEAM_LABEL]: team } },
          spec: wanted.spec,
        },
        { fieldManager },
      );
      if (applied.kind === 'applied') return applied.object;
      const owners = applied.causes.map((cause) => `${cause.field} (${cause.manager})`).join(', ');
      throw new CallerError('conflict', {
        detail: `other managers own fields of this Canary: ${owners}; change them there`,
      });
    } catch (error) {
      if (error instanceof KubernetesError && error.status >= 400 && error.status < 500) {
        throw new CallerError('canary-refused', { detail: error.message, cause: error });
      }
      throw error;
    }
  }

  async #refuseTakenRoute(wanted: Name & { spec: CanarySpec }): Promise<void> {
    const rival = (await this.#releases.inNamespace(wanted.namespace)).find(
      (release) =>
        release.identity.name !== wanted.name &&
        !isFinished(release.state) &&
        release.spec.route.host === wanted.spec.route.host &&
        release.spec.route.path === wanted.spec.route.path,
    );
    if (!rival) return;
    throw new CallerError('route-taken', {
      detail: `Canary ${rival.identity.name} is ${rival.state.phase} on ${wanted.spec.route.host}${wanted.spec.route.path}; wait for it or abort it`,
      errors: [{ pointer: '/spec/route', detail: 'one canary at a time for each host and path' }],
    });
  }

  async #find(principal: Principal, name: Name): Promise<CanaryResource> {
    const canary = await this.#read(name);
    if (canary && principal.canSee(identityOf(canary).team)) return canary;
    throw new CallerError('not-found', { detail: `there is no Canary ${name.namespace}/${name.name}` });
  }

  async #read(name: Name): Promise<CanaryResource | undefined> {
    try {
      return await this.#client.get(resources.canaries, name);
    } catch (error) {
      if (error instanceof KubernetesError && error.status === 404) return undefined;
      throw error;
    }
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
