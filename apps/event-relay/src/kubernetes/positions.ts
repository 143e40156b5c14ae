import type { Database, Tx } from '@keelson/persistence';

/** How far each watch has read, durably: the resourceVersion whose events are all in the journal. */
export class WatchPositions {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async find(cluster: string, api: string): Promise<{ resourceVersion: string; at: Date } | undefined> {
    const rows = await this.#database.query<{ resource_version: string; at: Date }>(
      'SELECT resource_version, at FROM watch_positions WHERE cluster = $1 AND api = $2',
      [cluster, api],
    );
    return rows[0] && { resourceVersion: rows[0].resource_version, at: rows[0].at };
  }

  async save(tx: Tx, cluster: string, api: string, resourceVersion: string, at: Date): Promise<void> {
    await tx.query(
      `INSERT INTO watch_positions (cluster, api, resource_version, at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (cluster, api) DO UPDATE SET resource_version = excluded.resource_version, at = excluded.at`,
      [cluster, api, resourceVersion, at],
    );
  }
}
