export interface FaultPlan {
  /** Share of orders that fail, 0 to 1. */
  errorRate: number;
  latencyMs: number;
  /** Mean time to a crash; 0 is never. */
  crashAfterSeconds: number;
  /** The same seed gives the same faults in the same order. */
  seed: number;
}

/** The faults of a version that is meant to be bad: what a canary has to find. Deterministic by its seed. */
export class Faults {
  readonly latencyMs: number;
  /** Whether the next order fails. */
  readonly nextFails: () => boolean;
  /** Milliseconds from start to crash: half to one and a half of the mean; undefined is never. */
  readonly crashAfterMs: number | undefined;

  constructor(plan: FaultPlan) {
    this.latencyMs = plan.latencyMs;
    this.nextFails = failing(plan.errorRate, plan.seed);
    const spread = 0.5 + mulberry32(plan.seed ^ 0x5f3759df)();
    this.crashAfterMs = plan.crashAfterSeconds > 0 ? plan.crashAfterSeconds * 1000 * spread : undefined;
  }
}

/** Says of one call after the other whether it fails: a share of `rate`, 0 to 1; the same seed, the same calls. */
export function failing(rate: number, seed: number): () => boolean {
  const next = mulberry32(seed);
  return () => rate > 0 && next() < rate;
}

/** Tommy Ettinger's mulberry32: 32 bits of state are plenty for this, and the same everywhere. Gives 0 to below 1. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
