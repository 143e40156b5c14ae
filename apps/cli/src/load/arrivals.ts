/** How the arrival rate goes over the time of a load. */
export const PROFILES = ['steady', 'ramp', 'spike'] as const;
export type Profile = (typeof PROFILES)[number];

export interface ArrivalOptions {
  readonly profile: Profile;
  /** The highest rate of the profile, arrivals a second. */
  readonly rate: number;
  readonly seconds: number;
}

/** A part of the load in which the rate goes in a straight line from one value to another, arrivals a second. */
interface Stretch {
  readonly seconds: number;
  readonly from: number;
  readonly to: number;
}

/** What each profile is made of: `rate` all the time; from 0 up to it; a tenth of it with a third in the middle at `rate`. */
function stretches({ profile, rate, seconds }: ArrivalOptions): readonly Stretch[] {
  switch (profile) {
    case 'steady':
      return [{ seconds, from: rate, to: rate }];
    case 'ramp':
      return [{ seconds, from: 0, to: rate }];
    case 'spike': {
      const third = seconds / 3;
      const calm = { seconds: third, from: rate / 10, to: rate / 10 };
      return [calm, { seconds: third, from: rate, to: rate }, calm];
    }
    default:
      return profile satisfies never;
  }
}

/**
 * When each arrival is due, in ms since the start, in order: the n-th where the rate, summed up over the time, reaches n.
 * The times follow from the profile alone, never from the answers.
 */
export function* arrivals(options: ArrivalOptions): Generator<number> {
  let begun = 0;
  let reached = 0;
  let n = 0;
  for (const { seconds, from, to } of stretches(options)) {
    const slope = (to - from) / seconds;
    const inThis = ((from + to) / 2) * seconds;
    // The small addend keeps an arrival at the very end of a stretch from being lost or doubled by rounding.
    for (; n < reached + inThis - 1e-6; n += 1) yield (begun + timeOf(n - reached, from, slope)) * 1000;
    reached += inThis;
    begun += seconds;
  }
}

/** Seconds until `count` have come, where the rate begins at `from` and grows by `slope` a second. */
function timeOf(count: number, from: number, slope: number): number {
  const left = Math.max(0, count);
  if (slope === 0) return left / from;
  return (Math.sqrt(from * from + 2 * slope * left) - from) / slope;
}
