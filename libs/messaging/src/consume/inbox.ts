import type { MigrationClass, MigrationInterface, QueryRunner, Tx } from '@keelson/persistence';

class Inbox1790000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table inbox (
        consumer text not null,
        message_id text not null,
        handled_at timestamptz not null default now(),
        primary key (consumer, message_id)
      )`);
    await runner.query('create index inbox_handled_at on inbox (handled_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table inbox');
  }
}

/** What a service that subscribes with an inbox adds to its migrations. */
export const inboxMigrations: readonly MigrationClass[] = [Inbox1790000000001];

/**
 * {@link firstTime} for many, in one statement: the ids that were not handled before. Sorted, so that two batches with
 * the same messages wait for each other in one direction only.
 */
export async function firstTimes(tx: Tx, consumer: string, messageIds: readonly string[]): Promise<Set<string>> {
  const sql = `
    insert into inbox (consumer, message_id)
    select $1, id from (select distinct unnest($2::text[]) as id order by id) as given
    on conflict do nothing returning message_id as id`;
  return new Set((await tx.query<{ id: string }>(sql, [consumer, messageIds])).map(({ id }) => id));
}

/**
 * Notes in the handler's own transaction that the consumer handled the message. False when it did so before: then
 * its effects are there already. A second delivery at the same time waits here until the first has ended.
 */
export async function firstTime(tx: Tx, consumer: string, messageId: string): Promise<boolean> {
  const sql = 'insert into inbox (consumer, message_id) values ($1, $2) on conflict do nothing';
  return (await tx.execute(sql, [consumer, messageId])) === 1;
}
