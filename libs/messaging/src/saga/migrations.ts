import type { MigrationClass, MigrationInterface, QueryRunner } from '@keelson/persistence';

class Saga1790000000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // fillfactor: a row is rewritten with each step, and what is indexed rarely changes, so it stays on its page (HOT).
    await runner.query(`
      create table saga (
        name text not null,
        key text not null,
        definition_version smallint not null,
        version int not null,
        state text not null check (state in ('running', 'compensating', 'completed', 'compensated')),
        reason text,
        data jsonb not null,
        steps jsonb not null,
        waiting_for text,
        started_at timestamptz not null,
        ended_at timestamptz,
        due_at timestamptz,
        primary key (name, key)
      ) with (fillfactor = 60)`);
    await runner.query('create index saga_due on saga (due_at) where due_at is not null');
    await runner.query('create index saga_waiting on saga (name, waiting_for) where waiting_for is not null');
    await runner.query('create index saga_open on saga (name, started_at) where ended_at is null');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table saga');
  }
}

/** What a service with sagas adds to its migrations, besides those of the outbox. */
export const sagaMigrations: readonly MigrationClass[] = [Saga1790000000010];
