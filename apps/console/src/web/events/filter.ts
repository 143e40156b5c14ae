import { eventType } from '@keelson/contracts';
import { z } from 'zod';
import type { Query } from '../routing/match.ts';

/** How far back one may look, by the word in the address. */
export const SINCE = { '15m': 900, '1h': 3_600, '24h': 86_400, '7d': 604_800 } as const;
export type Since = keyof typeof SINCE;

export const SOURCES = ['kubernetes', 'platform', 'alertmanager', 'http'] as const;

const text = (max: number) => z.string().max(max).optional().catch(undefined);

/** What the address says about which events are wanted; what it says wrongly is left out. */
const filterSchema = z.object({
  type: eventType.optional().catch(undefined),
  namespace: text(63),
  kind: text(63),
  name: text(253),
  reason: text(128),
  text: text(256),
  source: z.enum(SOURCES).optional().catch(undefined),
  since: z
    .enum(Object.keys(SINCE) as [Since, ...Since[]])
    .optional()
    .catch(undefined),
});

export type EventFilter = z.output<typeof filterSchema>;

export const filterOf = (query: Query): EventFilter =>
  filterSchema.parse(Object.fromEntries(Object.entries(query).filter(([, value]) => value !== '')));

/** The filter as the API takes it: `since` as an instant. */
export function apiFilter({ since, ...rest }: EventFilter, now: number) {
  return { ...rest, since: since === undefined ? undefined : new Date(now - SINCE[since] * 1000).toISOString() };
}

/** The command line that searches for, or follows, the same. */
export function commandLine(filter: EventFilter, verb: 'search' | 'tail'): string {
  const options = (['type', 'namespace', 'kind', 'name', 'reason', 'text', 'source', 'since'] as const).flatMap(
    (key) => {
      const value = filter[key];
      // `tail` shows what comes; it has no past to limit.
      return value === undefined || (verb === 'tail' && key === 'since') ? [] : [`--${key} ${quoted(value)}`];
    },
  );
  return ['keelson events', verb, ...options].join(' ');
}

/** As a shell takes it. */
const quoted = (value: string): string =>
  /^[\w./:@%+-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`;
