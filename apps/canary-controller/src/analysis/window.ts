import type { CanarySpec } from '@keelson/contracts';
import type { ReleaseState } from '../release/state.ts';
import type { CounterSample } from './success-rate.ts';
import type { PrometheusSeries } from './prometheus.ts';

/**
 * From when requests are counted: since the step began, and not from further back than it may take to judge one. A
 * release that is paused for a day must not need a day of failures before they weigh.
 */
export function windowStart(spec: CanarySpec, state: ReleaseState, now: Date): Date {
  const holdSeconds = spec.steps[state.step]?.holdSeconds ?? 0;
  const windowMs = Math.max(holdSeconds, spec.analysis.inconclusiveLimitSeconds) * 1000;
  return new Date(Math.max(state.since.getTime(), now.getTime() - windowMs));
}

const podsOf = (series: readonly Pick<CounterSample, 'labels'>[]): Set<string> =>
  new Set(series.map(({ labels }) => labels['controller_pod'] ?? ''));

/**
 * Whether every gateway pod that is known now was known then. The counter of one that was not may have begun at any time:
 * without its first value all of its past would be taken for requests of this step.
 */
export function allKnown(then: readonly CounterSample[], now: readonly CounterSample[]): boolean {
  const known = podsOf(then);
  return [...podsOf(now)].every((pod) => known.has(pod));
}

/** The first moment at which all of the gateway pods were known that are known now; undefined where there was none yet. */
export function firstAllKnown(seen: readonly PrometheusSeries[], now: readonly CounterSample[]): Date | undefined {
  const starts = [...podsOf(now)].map((pod) => {
    const times = seen.filter(({ labels }) => (labels['controller_pod'] ?? '') === pod).flatMap(({ times }) => times);
    return times.length === 0 ? Infinity : Math.min(...times.map((time) => time.getTime()));
  });
  const latest = Math.max(-Infinity, ...starts);
  return Number.isFinite(latest) ? new Date(latest) : undefined;
}

/** How finely the past of a window is looked at, in seconds: at most 200 points, and none closer than a second. */
export const stepSeconds = (from: Date, to: Date): number =>
  Math.max(1, Math.ceil((to.getTime() - from.getTime()) / 200_000));
