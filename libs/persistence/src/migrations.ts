import { MigrationExecutor, type DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { NewerSchemaError } from './failures.ts';
import type { Log } from './log.ts';

/**
 * A TypeORM migration. Its class name ends in 13 digits, which order it (`Outbox1790000000000`). Mark it
 * `static breaking = true` when programs that do not know it must not run on the schema it leaves behind.
 */
export type MigrationClass = (new () => MigrationInterface) & { readonly breaking?: boolean };

// Any fixed number does: it only has to be the same in every process that migrates this database.
const LOCK = 7_521_430_011;

/**
 * Runs what is missing, one transaction each, while holding an advisory lock: replicas that start together wait for
 * each other instead of migrating twice. Unknown migrations in the database (a newer release ran before) are
 * accepted unless one of them was marked breaking: then NewerSchemaError.
 */
export async function migrate(dataSource: DataSource, migrations: readonly MigrationClass[], log: Log): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await lock(runner, log);
    await runner.query('create table if not exists breaking_migrations (name text primary key)');
    await refuseNewer(runner, migrations);
    // On the very connection that holds the lock: when it breaks, the migration under way and the lock end together.
    const executor = new MigrationExecutor(dataSource, runner);
    executor.transaction = 'each';
    const done = await executor.executePendingMigrations();
    for (const migration of migrations.filter((candidate) => candidate.breaking === true)) {
      await runner.query('insert into breaking_migrations values ($1) on conflict do nothing', [migration.name]);
    }
    if (done.length > 0) log.info({ migrations: done.map((migration) => migration.name) }, 'schema migrated');
  } finally {
    // Also released by the server when the connection ends; this only makes the next one not wait for that.
    await runner.query('select pg_advisory_unlock($1)', [LOCK]).catch(() => undefined);
    await runner.release();
  }
}

async function lock(runner: QueryRunner, log: Log): Promise<void> {
  const [row] = (await runner.query('select pg_try_advisory_lock($1) as held', [LOCK])) as { held: boolean }[];
  if (row?.held === true) return;
  log.info({}, 'another process migrates this database; waiting for it');
  await runner.query('select pg_advisory_lock($1)', [LOCK]);
}

async function refuseNewer(runner: QueryRunner, migrations: readonly MigrationClass[]): Promise<void> {
  const known = new Set(migrations.map((migration) => migration.name));
  const breaking = (await runner.query('select name from breaking_migrations order by name')) as { name: string }[];
  const unknown = breaking.map((row) => row.name).filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new NewerSchemaError(
    `the database was migrated by a newer release: it holds ${unknown.join(', ')}, which this program does not know. ` +
      'Deploy that release (or a later one), or restore a backup from before it.',
  );
}
