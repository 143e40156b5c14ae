import type { CanaryPhase, CanarySpec, Evidence } from '@keelson/contracts';

/**
 * Where one release of a Canary stands. This row in the database is the only memory of the controller: what the
 * cluster must look like follows from it (see routing/desired-route.ts), so that a crash anywhere resumes by reading it.
 */
export interface ReleaseState {
  readonly phase: CanaryPhase;
  /** metadata.generation of the Canary when this release began; a higher one begins the next release. */
  readonly release: number;
  /** Index into `spec.steps`; -1 before the first. */
  readonly step: number;
  /** Per cent of requests that go to the new version. */
  readonly weight: number;
  /** When the present phase and step were entered. */
  readonly since: Date;
  /** When the release began. */
  readonly startedAt: Date;
  /** When the first request could reach the new version: events before that are its start-up, not its fault. */
  readonly trafficSince?: Date;
  /** Failed looks in a row. */
  readonly failures: number;
  /** Since when looks have been inconclusive without a break. */
  readonly inconclusiveSince?: Date;
  readonly lastLookAt?: Date;
  /** Why it is in this phase, in words for people. */
  readonly reason: string;
  /** What keeps the cluster from looking as this state asks, in words; undefined while nothing does. */
  readonly trouble?: string;
  /** What the last look found. */
  readonly evidence: readonly Evidence[];
}

/** Why it is in this phase and what holds it up, for people. */
export function wholeReason({ reason, trouble }: Pick<ReleaseState, 'reason' | 'trouble'>): string {
  return trouble === undefined || reason.includes(trouble) ? reason : `${reason}; ${trouble}`;
}

/**
 * The state without times that lie ahead of now. After a clock was set back they would hold the release until it has
 * caught up, and cut the measurements at a moment that is yet to come: they count from now instead.
 */
export function noLaterThan(state: ReleaseState, now: Date): ReleaseState {
  const cut = (time: Date): Date => (time > now ? now : time);
  const maybe = (time: Date | undefined): Date | undefined => time && cut(time);
  const times = {
    since: cut(state.since),
    startedAt: cut(state.startedAt),
    trafficSince: maybe(state.trafficSince),
    inconclusiveSince: maybe(state.inconclusiveSince),
    lastLookAt: maybe(state.lastLookAt),
  };
  const moved = Object.entries(times).some(([name, time]) => time !== state[name as keyof typeof times]);
  return moved ? { ...state, ...times } : state;
}

/** One version's workload as the cluster shows it. */
export type Workload =
  | { readonly kind: 'missing'; readonly what: string }
  | { readonly kind: 'starting'; readonly ready: number; readonly wanted: number }
  | { readonly kind: 'ready'; readonly ready: number; readonly wanted: number };

/** The route as the cluster shows it. */
export interface ObservedRoute {
  /** Service that the user's Ingress sends this host and path to. */
  readonly stableBackend: string | undefined;
  /** Weight of our canary Ingress; undefined where there is none. */
  readonly canaryWeight: number | undefined;
  /** Name of an Ingress of somebody else where ours should be. */
  readonly nameTakenBy?: string | undefined;
}

/** Why a Canary cannot be carried out; found before traffic moves. */
export interface Finding {
  readonly check: string;
  readonly detail: string;
}

/** Everything a decision may rest on. Nothing else is looked at. */
export interface Snapshot {
  readonly spec: CanarySpec;
  readonly generation: number;
  readonly state: ReleaseState | undefined;
  readonly findings: readonly Finding[];
  readonly canary: Workload;
  readonly stable: Workload;
  readonly route: ObservedRoute;
  /** Present when a look was due and was made. */
  readonly evidence: readonly Evidence[] | undefined;
}
