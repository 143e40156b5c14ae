import { createDatabaseAs, startPostgres } from '@keelson/testing';
import { join } from 'node:path';
import { DATABASES, type DatabaseName } from '../platform.ts';
import type { Run } from '../run.ts';

/** The URL of each service's database. The server is one of our own, or the one of KEELSON_POSTGRES_URL. */
export function startDatabases(run: Run): Promise<Record<DatabaseName, string>> {
  const external = process.env['KEELSON_POSTGRES_URL'];
  if (external !== undefined) {
    return run.progress.step(
      'PostgreSQL',
      () => createDatabases(external),
      () => 'PostgreSQL of your own',
    );
  }
  return run.progress.step(
    'PostgreSQL',
    async () => {
      const kept = { durable: true, dataDir: join(run.dataFolder, 'postgres') };
      const server = run.keep('PostgreSQL', await startPostgres(run.options.keepData ? kept : {}));
      return createDatabases(server.adminUrl);
    },
    () => 'PostgreSQL, a database and a role for each service',
  );
}

/** A database and a role of its own for each. What is there from an earlier run is used again. */
async function createDatabases(adminUrl: string): Promise<Record<DatabaseName, string>> {
  const urls = {} as Record<DatabaseName, string>;
  for (const name of DATABASES)
    urls[name] = await createDatabaseAs(adminUrl, { name: `keelson_${name.replaceAll('-', '_')}` });
  return urls;
}
