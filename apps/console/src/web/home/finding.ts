/** Something that is wrong now, or wants a person to look at it. */
export interface Finding {
  /** Stable for as long as the same thing is wrong. */
  readonly key: string;
  readonly severity: 'critical' | 'warning' | 'notice';
  readonly title: string;
  /** Why, with the figures. */
  readonly detail: string;
  /** The page that shows its rows. */
  readonly to: string;
  /** RFC 3339; since when, where it is known. */
  readonly since?: string;
}

const ORDER = { critical: 0, warning: 1, notice: 2 } as const;

/** The worst first; of the same severity the newest. */
export function bySeverity(findings: readonly Finding[]): Finding[] {
  return findings.toSorted(
    (a, b) =>
      ORDER[a.severity] - ORDER[b.severity] ||
      (b.since ?? '').localeCompare(a.since ?? '') ||
      a.key.localeCompare(b.key),
  );
}

/** `1 order`, `3 orders`. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
