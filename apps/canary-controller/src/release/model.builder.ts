import type { Evidence } from '@keelson/contracts';
import { desiredRoute } from '../routing/desired-route.ts';
import { applyCommand, type Command } from './command.ts';
import { decide, isFinished, lookIsDue, type DecisionDraft } from './decide.ts';
import { aSnapshot, aSpec, evidence } from './release.builder.ts';
import { isRouteAsAsked } from './route-check.ts';
import { noLaterThan, type ReleaseState, type Snapshot } from './state.ts';

export type Outcome = Evidence['outcome'];
/** Where a controller dies: before its decision is durable, after it, or once the route is changed. */
export type CrashPoint = 'decided' | 'stored' | 'routed';
export const CRASH_POINTS: readonly CrashPoint[] = ['decided', 'stored', 'routed'];

/** What the world has been at each moment in which a controller can die. */
export interface Moment {
  readonly state: ReleaseState | undefined;
  readonly backend: 'shop-v1' | 'shop-v2';
  readonly canaryWeight: number | undefined;
}

/**
 * A database, a cluster and a controller that does as reconciler.ts does: look, decide, store, change one thing about the
 * route. Only what was stored and what was changed outlives a crash.
 */
export class World {
  readonly spec = aSpec();
  readonly history: DecisionDraft[] = [];
  readonly moments: Moment[] = [];
  state: ReleaseState | undefined;
  backend: 'shop-v1' | 'shop-v2' = 'shop-v1';
  canaryWeight: number | undefined;

  /** Reconciles until nothing moves; dies at the points named, each once, and is started again. */
  settle(now: Date, outcomes: readonly Outcome[], crashes: readonly CrashPoint[] = []): void {
    const pending = [...crashes];
    for (let turn = 0; turn < 20; turn += 1) {
      const crash = pending.shift();
      if (this.#reconcile(now, outcomes, crash) === 'quiet' && crash === undefined) return;
    }
    throw new Error(`it does not come to rest in ${this.state?.phase}`);
  }

  /** Whether a person's command was taken. */
  command(command: Command, now: Date): boolean {
    if (!this.state) return false;
    const outcome = applyCommand(this.spec, this.state, command, now);
    if (outcome.kind !== 'done') return false;
    this.#store(outcome.verdict.next, outcome.verdict.decision);
    return true;
  }

  get over(): boolean {
    return this.state !== undefined && isFinished(this.state);
  }

  snapshot(now: Date, outcomes: readonly Outcome[]): Snapshot {
    const route = { stableBackend: this.backend, canaryWeight: this.canaryWeight };
    const quiet = aSnapshot({ spec: this.spec, state: this.state, route });
    const state = this.state && noLaterThan(this.state, now);
    if (!state || !lookIsDue(state, this.spec, now) || !isRouteAsAsked(quiet, state)) return quiet;
    return { ...quiet, evidence: outcomes.map((one) => evidence(one)) };
  }

  #reconcile(now: Date, outcomes: readonly Outcome[], crash: CrashPoint | undefined): 'quiet' | 'moved' {
    const { next, decision } = decide(this.snapshot(now, outcomes), now);
    if (crash === 'decided') return 'moved';
    const changed = next !== this.state;
    if (changed) this.#store(next, decision);
    if (crash === 'stored') return 'moved';
    const routed = this.#changeRoute(next);
    return changed || routed ? 'moved' : 'quiet';
  }

  #store(next: ReleaseState, decision: DecisionDraft | undefined): void {
    this.state = next;
    if (decision) this.history.push(decision);
    this.#remember();
  }

  #changeRoute(state: ReleaseState): boolean {
    const before = `${this.backend} ${this.canaryWeight}`;
    const desired = desiredRoute(state);
    if (desired.kind === 'none') this.canaryWeight = undefined;
    else if (desired.kind === 'split') this.canaryWeight = desired.weight;
    else if (this.backend === 'shop-v2') this.canaryWeight = undefined;
    else if (this.canaryWeight !== 100) this.canaryWeight = 100;
    else this.backend = 'shop-v2';
    this.#remember();
    return before !== `${this.backend} ${this.canaryWeight}`;
  }

  #remember(): void {
    this.moments.push({ state: this.state, backend: this.backend, canaryWeight: this.canaryWeight });
  }
}
