import type { CanarySpec, Decision, Evidence } from '@keelson/contracts';
import { isRouteAsAsked, troubleIn, withTrouble } from './route-check.ts';
import { noLaterThan, type ReleaseState, type Snapshot, type Workload } from './state.ts';

export type Act = Decision['act'];

/** What changed, for the history; absent where nothing worth telling happened. */
export interface DecisionDraft {
  readonly act: Act;
  readonly reason: string;
  readonly evidence: readonly Evidence[];
}

export interface Verdict {
  readonly next: ReleaseState;
  readonly decision?: DecisionDraft;
}

/**
 * Decides the next state of a release. Pure: the same snapshot and time give the same answer, and calling it again with
 * its own answer changes nothing further, so it can be repeated after a crash.
 *
 * Phases: Pending -> Progressing <-> Paused -> Promoting -> Promoted, and from each of the unfinished ones
 * RollingBack -> RolledBack; Refused where a pre-flight check fails. A newer generation begins anew from any phase.
 */
export function decide(given: Snapshot, now: Date): Verdict {
  const state = given.state && withTrouble(noLaterThan(given.state, now), troubleIn(given, given.state));
  const snapshot = { ...given, state };
  const { generation } = snapshot;
  if (!state || (generation > state.release && isFinished(state))) return begin(snapshot, now);
  // A release under way is ended before the next begins: its route must be taken back first. One whose end is decided
  // finishes.
  if (generation > state.release && isUndecided(state)) {
    return rollBack(state, now, 'the Canary was changed during the release', []);
  }
  switch (state.phase) {
    case 'Pending':
      return pending(snapshot, state, now);
    case 'Progressing':
      return progressing(snapshot, state, now);
    case 'Paused':
      return paused(snapshot, state, now);
    case 'Promoting':
      return promoting(snapshot, state, now);
    case 'RollingBack':
      return rollingBack(snapshot, state, now);
    case 'Promoted':
    case 'RolledBack':
      return { next: state };
    case 'Refused':
      return snapshot.findings.length === 0 ? begin(snapshot, now) : refuse(snapshot, state, now);
    default:
      return assertNever(state.phase);
  }
}

/** Whether nothing more happens in this phase until the Canary changes. */
export function isFinished(state: Pick<ReleaseState, 'phase'>): boolean {
  return state.phase === 'Promoted' || state.phase === 'RolledBack' || state.phase === 'Refused';
}

/** Whether the release can still go either way. */
export function isUndecided(state: Pick<ReleaseState, 'phase'>): boolean {
  return state.phase === 'Pending' || state.phase === 'Progressing' || state.phase === 'Paused';
}

/** Whether measurements are wanted now: every `intervalSeconds` while requests reach the new version. */
export function lookIsDue(state: ReleaseState | undefined, spec: CanarySpec, now: Date): boolean {
  if (!state || (state.phase !== 'Progressing' && state.phase !== 'Paused')) return false;
  const last = state.lastLookAt ?? state.since;
  // A clock that was set back must not stop the looks: a last look in the future counts as long ago.
  const elapsed = now.getTime() - last.getTime();
  return elapsed < 0 || elapsed >= spec.analysis.intervalSeconds * 1000;
}

function begin(snapshot: Snapshot, now: Date): Verdict {
  const fresh: ReleaseState = {
    phase: 'Pending',
    release: snapshot.generation,
    step: -1,
    weight: 0,
    since: now,
    startedAt: now,
    failures: 0,
    reason: 'waiting for the new version to become ready',
    evidence: [],
  };
  if (snapshot.findings.length > 0) return refuse(snapshot, fresh, now);
  const { canary, stable, steps } = snapshot.spec;
  return {
    next: fresh,
    decision: {
      act: 'start',
      reason: `${canary.deployment} replaces ${stable.deployment} in ${steps.length} step${steps.length === 1 ? '' : 's'}`,
      evidence: [],
    },
  };
}

function refuse(snapshot: Snapshot, state: ReleaseState, now: Date): Verdict {
  const reason = snapshot.findings.map((finding) => finding.detail).join('; ');
  if (state.phase === 'Refused' && state.reason === reason) return { next: state };
  return {
    next: { ...state, phase: 'Refused', reason, since: now, weight: 0, trouble: undefined },
    decision: { act: 'refuse', reason, evidence: [] },
  };
}

function pending(snapshot: Snapshot, state: ReleaseState, now: Date): Verdict {
  if (snapshot.findings.length > 0) return refuse(snapshot, state, now);
  const unready = notReady(snapshot);
  if (unready) return { next: state.reason === unready ? state : { ...state, reason: unready } };
  return enterStep(snapshot.spec, state, 0, now, 'both versions are ready', []);
}

function progressing(snapshot: Snapshot, state: ReleaseState, now: Date): Verdict {
  const { spec, evidence } = snapshot;
  if (!isRouteAsAsked(snapshot, state) || state.trouble !== undefined) return withoutRoute(spec, state, now);
  if (!evidence) {
    // What was unclear before the first look was the route (withoutRoute), which is there now.
    const waited = state.lastLookAt === undefined && state.inconclusiveSince !== undefined;
    return { next: waited ? { ...state, inconclusiveSince: undefined } : state };
  }
  const looked = withLook(state, evidence, now);
  const failed = evidence.filter((item) => item.outcome === 'fail');
  if (failed.length > 0) {
    if (looked.failures >= spec.analysis.failureLimit) return rollBack(looked, now, summaries(failed), evidence);
    const reason = `${summaries(failed)} (look ${looked.failures} of ${spec.analysis.failureLimit} that roll back)`;
    return { next: { ...looked, reason }, decision: { act: 'hold', reason, evidence } };
  }
  if (looked.inconclusiveSince) {
    const unclear = evidence.filter((item) => item.outcome === 'inconclusive' || item.outcome === 'error');
    const waited = now.getTime() - looked.inconclusiveSince.getTime();
    const reason = summaries(unclear);
    if (waited >= spec.analysis.inconclusiveLimitSeconds * 1000) {
      return pause(looked, now, `no clear answer for ${Math.round(waited / 1000)} s: ${reason}`, evidence);
    }
    return { next: { ...looked, reason } };
  }
  const step = spec.steps[state.step];
  if (!step || heldFor(state, now) < step.holdSeconds * 1000) {
    return { next: { ...looked, reason: `step ${state.step + 1} of ${spec.steps.length} is healthy` } };
  }
  if (step.pause) return pause(looked, now, `step ${state.step + 1} waits for promote`, evidence);
  return advance(spec, looked, now, 'the step held', evidence);
}

/**
 * The new version does not get the requests that the step asks for, so the step has not begun to hold, and nothing that
 * is measured means anything. Where that lasts a person is asked, as for too few requests.
 */
function withoutRoute(spec: CanarySpec, state: ReleaseState, now: Date): Verdict {
  const inconclusiveSince = state.inconclusiveSince ?? now;
  const waited = now.getTime() - inconclusiveSince.getTime();
  // At the first sight it is only that the step is new.
  const trouble = state.trouble ?? (state.inconclusiveSince && `the route does not show ${state.weight} % yet`);
  const waiting: ReleaseState = { ...state, since: now, inconclusiveSince, lastLookAt: undefined, trouble };
  if (waited < spec.analysis.inconclusiveLimitSeconds * 1000) return { next: waiting };
  const why = `no requests as asked for ${Math.round(waited / 1000)} s: ${trouble}`;
  return pause(waiting, now, why, state.evidence);
}

function paused(snapshot: Snapshot, state: ReleaseState, now: Date): Verdict {
  const { spec, evidence } = snapshot;
  if (!evidence) return { next: state };
  const looked = withLook(state, evidence, now);
  const failed = evidence.filter((item) => item.outcome === 'fail');
  // A pause is for people, not for failures: a bad version is rolled back while it waits, too.
  if (failed.length > 0 && looked.failures >= spec.analysis.failureLimit) {
    return rollBack(looked, now, summaries(failed), evidence);
  }
  return { next: looked };
}

function promoting(snapshot: Snapshot, state: ReleaseState, now: Date): Verdict {
  const { spec } = snapshot;
  if (!isRouteAsAsked(snapshot, state)) return { next: state };
  const reason = `all traffic goes to ${spec.canary.service}`;
  return {
    next: { ...state, phase: 'Promoted', weight: 100, since: now, reason },
    decision: { act: 'promoted', reason, evidence: state.evidence },
  };
}

function rollingBack(snapshot: Snapshot, state: ReleaseState, now: Date): Verdict {
  if (!isRouteAsAsked(snapshot, state)) return { next: state };
  const { route, spec } = snapshot;
  // Not for us to change back, but whoever reads "rolled back" must know where the traffic is.
  const elsewhere = `Ingress ${spec.route.ingress} sends it to ${route.stableBackend ?? 'no Service'}, not to ${spec.stable.service}`;
  const reason = route.stableBackend === spec.stable.service ? state.reason : `${state.reason}; ${elsewhere}`;
  return {
    next: { ...state, phase: 'RolledBack', weight: 0, since: now, reason },
    decision: { act: 'rolled-back', reason, evidence: state.evidence },
  };
}

/** Enters the step after the present one, or promotes after the last. */
export function advance(
  spec: CanarySpec,
  state: ReleaseState,
  now: Date,
  reason: string,
  evidence: readonly Evidence[],
): Verdict {
  const following = state.step + 1;
  return following < spec.steps.length
    ? enterStep(spec, state, following, now, reason, evidence)
    : promote(state, now, `${reason}; it was the last one`, evidence);
}

function enterStep(
  spec: CanarySpec,
  state: ReleaseState,
  index: number,
  now: Date,
  reason: string,
  evidence: readonly Evidence[],
): Verdict {
  const weight = spec.steps[index]?.weight ?? 0;
  const words = `${reason}: step ${index + 1} of ${spec.steps.length}, ${weight} % of the traffic`;
  return {
    next: {
      ...state,
      phase: 'Progressing',
      step: index,
      weight,
      since: now,
      trafficSince: state.trafficSince ?? now,
      failures: 0,
      inconclusiveSince: undefined,
      lastLookAt: undefined,
      reason: words,
      evidence,
    },
    decision: { act: 'step', reason: words, evidence },
  };
}

/** Sends everything to the new version; Promoted once the route shows it. */
export function promote(state: ReleaseState, now: Date, reason: string, evidence: readonly Evidence[]): Verdict {
  return {
    next: { ...state, phase: 'Promoting', weight: 100, since: now, reason, trouble: undefined, evidence },
    decision: { act: 'promote', reason, evidence },
  };
}

/** Takes all traffic back; RolledBack once the route shows it. */
export function rollBack(state: ReleaseState, now: Date, reason: string, evidence: readonly Evidence[]): Verdict {
  return {
    next: { ...state, phase: 'RollingBack', weight: 0, since: now, reason, trouble: undefined, evidence },
    decision: { act: 'roll-back', reason, evidence },
  };
}

/** Holds at the present weight until a person decides. */
export function pause(state: ReleaseState, now: Date, reason: string, evidence: readonly Evidence[]): Verdict {
  return {
    next: { ...state, phase: 'Paused', since: now, reason, evidence },
    decision: { act: 'pause', reason, evidence },
  };
}

function withLook(state: ReleaseState, evidence: readonly Evidence[], now: Date): ReleaseState {
  const outcomes = new Set(evidence.map((item) => item.outcome));
  const unclear = !outcomes.has('fail') && (outcomes.has('inconclusive') || outcomes.has('error'));
  return {
    ...state,
    evidence,
    lastLookAt: now,
    // An unclear look neither adds to the failures nor forgives them.
    failures: outcomes.has('fail') ? state.failures + 1 : unclear ? state.failures : 0,
    inconclusiveSince: unclear ? (state.inconclusiveSince ?? now) : undefined,
  };
}

function notReady(snapshot: Snapshot): string | undefined {
  const { spec } = snapshot;
  return (
    describeUnready(spec.canary.deployment, snapshot.canary) ?? describeUnready(spec.stable.deployment, snapshot.stable)
  );
}

function describeUnready(deployment: string, workload: Workload): string | undefined {
  switch (workload.kind) {
    case 'ready':
      return undefined;
    case 'missing':
      return `waiting for ${workload.what}`;
    case 'starting':
      return `waiting for Deployment ${deployment}: ${workload.ready} of ${workload.wanted} pods are ready`;
    default:
      return assertNever(workload);
  }
}

const heldFor = (state: ReleaseState, now: Date): number => now.getTime() - state.since.getTime();
const summaries = (items: readonly Evidence[]): string => items.map((item) => item.summary).join('; ');

function assertNever(value: never): never {
  throw new Error(`unexpected ${JSON.stringify(value)}`);
}
