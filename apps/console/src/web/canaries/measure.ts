import type { Evidence } from '@keelson/contracts';

/** A piece of evidence as figures: what was measured, what is allowed, and how far one is from the other. */
export interface Measure {
  readonly title: string;
  /** Undefined where there is no verdict yet. */
  readonly value: string | undefined;
  readonly threshold: string | undefined;
  readonly sample: string | undefined;
  /** Where the bad part stands on a scale from 0 to 1, and where the limit is; undefined where nothing was measured. */
  readonly scale: { readonly measured: number; readonly limit: number } | undefined;
}

const TITLES: Readonly<Record<Evidence['check'], string>> = {
  'success-rate': 'Success rate',
  'warning-events': 'Warning events',
  workload: 'Pods',
};

const count = new Intl.NumberFormat('en', { useGrouping: true });

/** What a piece of evidence says in figures. */
export function measureOf(evidence: Evidence): Measure {
  const { check, value, threshold, sample } = evidence;
  const title = TITLES[check];
  switch (check) {
    case 'success-rate':
      return {
        title,
        value: value === undefined ? undefined : percent(value),
        threshold: threshold === undefined ? undefined : `at least ${percent(threshold)}`,
        sample: sample === undefined ? undefined : `${count.format(sample)} requests`,
        // The failures are what is looked at: 99 % and 97 % differ by little, 1 % and 3 % by much.
        scale: scaleOf(
          value === undefined ? undefined : 1 - value,
          threshold === undefined ? undefined : 1 - threshold,
        ),
      };
    case 'warning-events':
      return {
        title,
        value: value === undefined ? undefined : count.format(value),
        threshold: threshold === undefined ? undefined : `at most ${count.format(threshold)}`,
        sample: undefined,
        scale: scaleOf(value, threshold),
      };
    case 'workload':
      return {
        title,
        value: value === undefined ? undefined : `${count.format(value)} ready`,
        threshold: threshold === undefined ? undefined : `at least ${count.format(threshold)}`,
        sample: undefined,
        scale: undefined,
      };
    default:
      return check satisfies never;
  }
}

/** A share as per cent with one decimal, none where it is none: `97 %`, `87.6 %`. */
export const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;

/** The limit stands in the middle, unless so much was measured that it must move to the left. */
function scaleOf(measured: number | undefined, limit: number | undefined): Measure['scale'] {
  if (measured === undefined || limit === undefined) return undefined;
  const end = Math.max(limit * 2, measured, Number.EPSILON);
  return { measured: measured / end, limit: limit / end };
}
