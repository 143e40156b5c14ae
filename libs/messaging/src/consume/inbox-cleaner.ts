import type { Database } from '@keelson/persistence';

const CLEAN = `
  delete from inbox where ctid = any (array(
    select ctid from inbox where handled_at < now() - make_interval(days => $1) order by handled_at limit $2))`;

/**
 * Removes what is older than the retention, in steps short enough to disturb nobody; returns how many rows. A message
 * delivered again after the retention would be handled again: keep it above any time a message may lie in a queue or
 * a parking lot.
 */
export async function cleanInbox(
  database: Database,
  options: { retentionDays: number; step: number; steps: number },
): Promise<number> {
  let removed = 0;
  for (let step = 0; step < options.steps; step += 1) {
    const rows = await database.execute(CLEAN, [options.retentionDays, options.step]);
    removed += rows;
    if (rows < options.step) break;
  }
  return removed;
}
