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
 * Notes in the handler's own transaction that the consumer handled the message. False when it did so before: then
 * its effects are there already. A second delivery at the same time waits here until the first has ended.
 */
export async function firstTime(tx: Tx, consumer: string, messageId: string): Promise<boolean> {
  const sql = 'insert into inbox (consumer, message_id) values ($1, $2) on conflict do nothing';
  return (await tx.execute(sql, [consumer, messageId])) === 1;
}
