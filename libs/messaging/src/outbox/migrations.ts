import type { MigrationClass, MigrationInterface, QueryRunner } from '@keelson/persistence';

/** Number of shards: relays side by side share the work by shard, and never more than one holds the same. */
export const SHARDS = 64;

class Outbox1790000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table outbox (
        id bigint generated always as identity primary key,
        shard smallint not null generated always as ((hashtextextended(aggregate, 0) & ${SHARDS - 1})::smallint) stored,
        aggregate text not null,
        message_id uuid not null,
        routing_key text not null,
        mandatory boolean not null,
        headers jsonb not null,
        body text not null,
        created_at timestamptz not null default now()
      ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0)`);
    await runner.query('create table outbox_shard (shard smallint primary key)');
    await runner.query(`insert into outbox_shard select generate_series(0, ${SHARDS - 1})`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table outbox_shard');
    await runner.query('drop table outbox');
  }
}

class OutboxDeferred1790000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table outbox add column refusals smallint not null default 0');
    // A table of its own, so that rows nobody takes never stand in the way of those that somebody does.
    await runner.query(`
      create table outbox_deferred (
        id bigint primary key,
        shard smallint not null,
        aggregate text not null,
        message_id uuid not null,
        routing_key text not null,
        mandatory boolean not null,
        headers jsonb not null,
        body text not null,
        created_at timestamptz not null,
        refusals smallint not null,
        until timestamptz not null
      )`);
    await runner.query('create index outbox_deferred_until on outbox_deferred (until)');
    await runner.query('create index outbox_deferred_aggregate on outbox_deferred (aggregate)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table outbox_deferred');
    await runner.query('alter table outbox drop column refusals');
  }
}

/** What a service that writes an outbox adds to its migrations. */
export const outboxMigrations: readonly MigrationClass[] = [Outbox1790000000000, OutboxDeferred1790000000003];
