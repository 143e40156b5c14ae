import type { JournalEvent } from '@keelson/contracts';
import type { Match } from './rules.ts';

/** The terms of a rule that allow values, with the event's value and the journal's column. */
const ALLOWED = [
  { term: 'types', value: (event) => event.type, column: 'type' },
  { term: 'sources', value: (event) => event.source, column: 'source' },
  { term: 'namespaces', value: (event) => event.object.namespace, column: 'namespace' },
  { term: 'kinds', value: (event) => event.object.kind, column: 'kind' },
  { term: 'reasons', value: (event) => event.reason, column: 'reason' },
  { term: 'clusters', value: (event) => event.cluster, column: 'cluster' },
] as const satisfies readonly {
  term: Exclude<keyof Match, 'excludeReasons'>;
  value: (event: JournalEvent) => string | undefined;
  column: string;
}[];

/** Whether a sink with this rule gets the event. */
export function matches(match: Match, event: JournalEvent): boolean {
  if (match.excludeReasons?.includes(event.reason) === true) return false;
  return ALLOWED.every(({ term, value }) => {
    const allowed: readonly string[] | undefined = match[term];
    const found = value(event);
    return allowed === undefined || (found !== undefined && allowed.includes(found));
  });
}

/** The same as a condition on the table `journal`; its parameters begin at `$first`. */
export function matchSql(match: Match, first: number): { sql: string; params: readonly (readonly string[])[] } {
  const params: (readonly string[])[] = [];
  const place = (values: readonly string[]): string => `$${first + params.push(values) - 1}`;
  const terms = ALLOWED.flatMap(({ term, column }) => {
    const allowed = match[term];
    return allowed === undefined ? [] : [`${column} = ANY(${place(allowed)}::text[])`];
  });
  if (match.excludeReasons) terms.push(`reason <> ALL(${place(match.excludeReasons)}::text[])`);
  return { sql: terms.length === 0 ? 'true' : terms.join(' AND '), params };
}
