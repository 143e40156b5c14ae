import { eventually } from '@keelson/testing';

/** Waits for a condition; longer than it takes, so that a busy machine fails no test. */
export const soon = <T>(probe: () => T | Promise<T>, describe?: string): Promise<Exclude<T, false | undefined>> =>
  eventually(probe, { withinMs: 60_000, ...(describe === undefined ? {} : { describe }) });
