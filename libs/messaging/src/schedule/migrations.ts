import type { MigrationClass, MigrationInterface, QueryRunner } from '@keelson/persistence';

class ScheduledMessage1790000000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table scheduled_message (
        id text primary key,
        due_at timestamptz not null,
        aggregate text not null,
        message_id uuid not null,
        routing_key text not null,
        mandatory boolean not null,
        headers jsonb not null,
        body text not null
      )`);
    await runner.query('create index scheduled_message_due_at on scheduled_message (due_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table scheduled_message');
  }
}

/** What a service that schedules messages adds to its migrations, after outboxMigrations. */
export const scheduleMigrations: readonly MigrationClass[] = [ScheduledMessage1790000000004];
