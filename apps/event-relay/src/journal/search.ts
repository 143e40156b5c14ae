import type { JournalEvent } from '@keelson/contracts';
import type { Database } from '@keelson/persistence';
import { toEvent, type JournalRow } from './row.ts';

/** Kubernetes events and alerts have no team of their own: whoever may read events sees them. `?` is the team. */
export const VISIBLE = "(source IN ('kubernetes', 'alertmanager') OR team = ?)";

/** What can be searched for; every term that is there must hold. */
export interface Search {
  /** Undefined sees all teams' events. */
  readonly team: string | undefined;
  readonly order: 'asc' | 'desc';
  readonly limit: number;
  /** Sequence of the last row on the previous page. */
  readonly from?: number | undefined;
  readonly after?: number | undefined;
  readonly type?: string | undefined;
  readonly source?: string | undefined;
  readonly namespace?: string | undefined;
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
  readonly namePrefix?: string | undefined;
  readonly reason?: string | undefined;
  readonly text?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** Searches the journal; see {@link VISIBLE} for what a team finds. */
export async function searchJournal(database: Database, search: Search): Promise<JournalEvent[]> {
  const terms: string[] = [];
  const params: unknown[] = [];
  const where = (sql: string, value: unknown): void => {
    if (value === undefined) return;
    params.push(value);
    terms.push(sql.replace('?', `$${params.length}`));
  };
  where(VISIBLE, search.team);
  where(search.order === 'asc' ? 'sequence > ?' : 'sequence < ?', search.from);
  where('sequence > ?', search.after);
  where('type = ?', search.type);
  where('source = ?', search.source);
  where('namespace = ?', search.namespace);
  where('kind = ?', search.kind);
  where('name = ?', search.name);
  where("name LIKE ? ESCAPE '\\'", search.namePrefix === undefined ? undefined : `${escapeLike(search.namePrefix)}%`);
  where('reason = ?', search.reason);
  where("message ILIKE ? ESCAPE '\\'", search.text === undefined ? undefined : `%${escapeLike(search.text)}%`);
  where('labels @> ?::jsonb', search.labels && JSON.stringify(search.labels));
  where('last_seen >= ?', search.since && instant(search.since));
  where('last_seen <= ?', search.until && instant(search.until));
  params.push(search.limit);
  const rows = await database.query<JournalRow>(
    `SELECT * FROM journal ${terms.length > 0 ? `WHERE ${terms.join(' AND ')}` : ''}
      ORDER BY sequence ${search.order === 'asc' ? 'ASC' : 'DESC'} LIMIT $${params.length}`,
    params,
  );
  return rows.map(toEvent);
}

/** One event by its id, or undefined. */
export async function findEvent(
  database: Database,
  id: string,
  team: string | undefined,
): Promise<JournalEvent | undefined> {
  const rows = await database.query<JournalRow>(
    `SELECT * FROM journal WHERE id = $1 AND ($2::text IS NULL OR ${VISIBLE.replace('?', '$2')})`,
    [id, team ?? null],
  );
  return rows[0] && toEvent(rows[0]);
}

/** RFC 3339 as PostgreSQL takes it, which knows no year 0. */
export const instant = (time: string): string => (time.startsWith('0000-') ? '-infinity' : time);

const escapeLike = (text: string): string => text.replace(/[\\%_]/g, '\\$&');
