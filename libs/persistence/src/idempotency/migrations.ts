import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { MigrationClass } from '../migrations.ts';

class Idempotency1790000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table idempotency_keys (
        team text not null,
        operation text not null,
        key text not null,
        fingerprint text not null,
        claim uuid not null,
        claimed_until timestamptz not null,
        status smallint,
        body text,
        content_type text,
        created_at timestamptz not null default now(),
        primary key (team, operation, key)
      )`);
    await runner.query('create index idempotency_keys_created_at on idempotency_keys (created_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table idempotency_keys');
  }
}

/** What a service whose HTTP writes honour Idempotency-Key adds to its migrations. */
export const idempotencyMigrations: readonly MigrationClass[] = [Idempotency1790000000002];
