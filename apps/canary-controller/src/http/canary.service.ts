import type { Canary, CanaryPhase, CanarySpec, Decision } from '@keelson/contracts';
import {
  apiVersionOf,
  isNotFound,
  KubernetesError,
  resources,
  type CanaryResource,
  type KubernetesClient,
} from '@keelson/kubernetes';
import type { Database } from '@keelson/persistence';
import { CallerError, type Clock, type PendingIdempotency, type Principal } from '@keelson/service-kit';
import { recordVerdict } from '../history/record-verdict.ts';
import type { ReleaseRepository } from '../history/release.repository.ts';
import type { ControllerLoop } from '../reconcile/controller-loop.ts';
import { identityOf, TEAM_LABEL } from '../reconcile/identity.ts';
import { nameOfRival } from '../preflight/checks.ts';
import { applyCommand, type Command } from '../release/command.ts';
import { canaryView } from './canary-view.ts';
import './problems.ts';

type Name = { readonly namespace: string; readonly name: string };

/**
 * Who owns the fields of a Canary that came over HTTP. One for all tokens: a colleague, or the token that follows, must be
 * able to change what the last one applied; who may is checked by team, and kubectl's fields still are kubectl's.
 */
const FIELD_MANAGER = 'keelson-canary-http';

/** What a namespace and a Canary may be called (RFC 1123); anything else names nothing, whatever the API server makes of it. */
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** A request that waits for the API server longer than this is answered 503. */
const TIMEOUT_MS = 10_000;

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
    if (!this.#loop.synced) {
      throw new CallerError('unavailable', {
        detail: 'The Canaries are not listed yet: the Kubernetes API server has not answered.',
        retryAfterSeconds: 2,
      });
    }
    const releases = new Map((await this.#releases.all()).map(({ identity, state }) => [identity.id, state]));
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
    return canaryView(canary, (await this.#releases.find(identityOf(canary).id))?.state);
  }

  /** Creates the Canary or changes its spec, which begins its next release. */
  async apply(principal: Principal, wanted: Name & { spec: CanarySpec }): Promise<Canary> {
    const existing = await this.#read(wanted);
    // Another team's Canary must look as if it were not there, but its name cannot be taken either.
    if (existing && !principal.canSee(identityOf(existing).team)) {
      throw new CallerError('conflict', { detail: `${wanted.namespace}/${wanted.name} is taken; choose another name` });
    }
    await this.#refuseTakenRoute(principal, wanted);
    const team = existing ? identityOf(existing).team : principal.team === '*' ? 'platform' : principal.team;
    const applied = await this.#applyResource(wanted, team);
    this.#loop.nudge(applied);
    const state = (await this.#releases.find(identityOf(applied).id))?.state;
    const isCurrent = state && state.release >= (applied.metadata.generation ?? 1);
    return canaryView(applied, isCurrent ? state : undefined);
  }

  async delete(principal: Principal, name: Name): Promise<void> {
    await this.#find(principal, name);
    try {
      await this.#client.delete(resources.canaries, { ...name, timeoutMs: TIMEOUT_MS });
    } catch (error) {
      // Somebody else was faster: it is gone, as asked.
      if (!isNotFound(error)) throw error;
    }
  }

  async decisions(
    principal: Principal,
    name: Name,
    page: { release?: number | undefined; before: string | undefined; limit: number },
  ): Promise<Decision[]> {
    await this.#find(principal, name);
    const team = principal.team === '*' ? undefined : principal.team;
    return this.#releases.decisions({ ...name, ...page, team });
  }

  /**
   * Carries a person's command out; durable before it is answered, together with the answer to its Idempotency-Key: a
   * retry of `promote` must not send the release two steps on.
   */
  async command(principal: Principal, name: Name, command: Command, idempotency?: PendingIdempotency): Promise<Canary> {
    const canary = await this.#find(principal, name);
    const identity = identityOf(canary);
    const now = this.#clock.now();
    const { state, view } = await this.#database.transaction(async (tx) => {
      const stored = await this.#releases.lock(tx, identity.id);
      if (!stored) {
        throw new CallerError('wrong-phase', {
          detail: 'the release has not begun; try again in a moment',
          retryAfterSeconds: 1,
        });
      }
      const outcome = applyCommand(stored.spec, stored.state, command, now);
      if (outcome.kind === 'wrong-phase') throw new CallerError('wrong-phase', { detail: outcome.detail });
      if (outcome.kind === 'done') {
        await recordVerdict(tx, this.#releases, {
          identity,
          spec: stored.spec,
          verdict: outcome.verdict,
          expected: stored.version,
          actor: principal.name,
          at: now,
        });
      }
      const next = outcome.kind === 'done' ? outcome.verdict.next : stored.state;
      const answer = canaryView(canary, next);
      await idempotency?.storeIn(tx, answer);
      return { state: next, view: answer };
    });
    this.#loop.nudge(canary, state);
    return view;
  }

  async #applyResource(wanted: Name & { spec: CanarySpec }, team: string): Promise<CanaryResource> {
    try {
      const applied = await this.#client.apply(
        resources.canaries,
        {
          apiVersion: apiVersionOf(resources.canaries),
          kind: 'Canary',
          metadata: { namespace: wanted.namespace, name: wanted.name, labels: { [TEAM_LABEL]: team } },
          spec: wanted.spec,
        },
        { fieldManager: FIELD_MANAGER, timeoutMs: TIMEOUT_MS },
      );
      if (applied.kind === 'applied') return applied.object;
      const owners = applied.causes.map((cause) => `${cause.field} (${cause.manager})`).join(', ');
      throw new CallerError('conflict', {
        detail: `other managers own fields of this Canary: ${owners}; change them there`,
      });
    } catch (error) {
      // Its own rules, an admission hook, a namespace that is not there. Anything else is not the caller's doing.
      if (error instanceof KubernetesError && [400, 403, 404, 409, 422].includes(error.status)) {
        throw new CallerError('canary-refused', { detail: error.message, cause: error });
      }
      throw error;
    }
  }

  async #refuseTakenRoute(principal: Principal, wanted: Name & { spec: CanarySpec }): Promise<void> {
    const { route } = wanted.spec;
    const rival = await this.#releases.onRoute(route);
    const { namespace, name } = rival?.identity ?? {};
    if (!rival || (namespace === wanted.namespace && name === wanted.name)) return;
    const who = nameOfRival({ ...rival.identity, state: rival.state }, principal.canSee(rival.identity.team));
    throw new CallerError('route-taken', {
      detail: `${who} is ${rival.state.phase} on ${route.host}${route.path}; wait for it or abort it`,
      errors: [{ pointer: '/spec/route', detail: 'one canary at a time for each host and path' }],
    });
  }

  async #find(principal: Principal, name: Name): Promise<CanaryResource> {
    const canary = await this.#read(name);
    if (canary && principal.canSee(identityOf(canary).team)) return canary;
    throw new CallerError('not-found', { detail: `there is no Canary ${name.namespace}/${name.name}` });
  }

  async #read({ namespace, name }: Name): Promise<CanaryResource | undefined> {
    if (!NAME.test(namespace) || !NAME.test(name)) return undefined;
    return this.#client.find(resources.canaries, { namespace, name, timeoutMs: TIMEOUT_MS });
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
