/** The last that is known of a running count. */
export interface SeriesState {
  readonly count: number;
  /** RFC 3339 */
  readonly lastSeen: string;
}

/**
 * How much of an observation's count is new, given what was known before. A count that fell began anew. An older
 * observation that comes late (the two views of Events run at their own pace) adds nothing, and neither does an update
 * that counted nothing, as of labels.
 */
export function deltaOf(observed: SeriesState, known: SeriesState | undefined): number {
  if (known === undefined) return observed.count;
  const later = Date.parse(observed.lastSeen) - Date.parse(known.lastSeen);
  if (later < 0) return 0;
  if (observed.count > known.count) return observed.count - known.count;
  if (observed.count < known.count) return observed.count;
  return later > 0 ? 1 : 0;
}

/** What is known after an observation. */
export function latest(observed: SeriesState, known: SeriesState | undefined): SeriesState {
  return known === undefined || Date.parse(observed.lastSeen) >= Date.parse(known.lastSeen)
    ? { count: observed.count, lastSeen: observed.lastSeen }
    : known;
}
