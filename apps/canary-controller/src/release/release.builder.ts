import { canarySpecSchema, type CanarySpec, type Evidence } from '@keelson/contracts';
import type { ObservedRoute, ReleaseState, Snapshot } from './state.ts';

export const START = new Date('2026-03-01T12:00:00.000Z');

/** Seconds after {@link START}. */
export const at = (seconds: number): Date => new Date(START.getTime() + seconds * 1000);

/** A valid spec with three steps; a test states only what matters to it. */
export function aSpec(changes: Record<string, unknown> = {}): CanarySpec {
  return canarySpecSchema.parse({
    stable: { deployment: 'shop-v1', service: 'shop-v1' },
    canary: { deployment: 'shop-v2', service: 'shop-v2' },
    route: { ingress: 'shop', host: 'shop.example', path: '/' },
    steps: [
      { weight: 10, holdSeconds: 30 },
      { weight: 50, holdSeconds: 30 },
      { weight: 80, holdSeconds: 30 },
    ],
    analysis: { intervalSeconds: 10, failureLimit: 2, inconclusiveLimitSeconds: 60 },
    ...changes,
  });
}

export function aState(changes: Partial<ReleaseState> = {}): ReleaseState {
  return {
    phase: 'Progressing',
    release: 1,
    step: 0,
    weight: 10,
    since: START,
    startedAt: START,
    trafficSince: START,
    failures: 0,
    reason: 'step 1 of 3',
    evidence: [],
    ...changes,
  };
}

/** The user's Ingress goes to the backend (null: the route is not in it), ours has the weight (undefined: there is none). */
export const aRoute = (canaryWeight: number | undefined, backend: string | null = 'shop-v1'): ObservedRoute => ({
  stableBackend: backend ?? undefined,
  canaryWeight,
});

export function aSnapshot(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    spec: aSpec(),
    generation: 1,
    state: aState(),
    findings: [],
    canary: { kind: 'ready', ready: 1, wanted: 1 },
    stable: { kind: 'ready', ready: 1, wanted: 1 },
    route: aRoute(10),
    evidence: undefined,
    ...changes,
  };
}

export const evidence = (outcome: Evidence['outcome'], summary: string = outcome): Evidence => ({
  check: 'success-rate',
  outcome,
  summary,
});
