import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Releases (one row for each Canary: where its present release stands) and decisions (all of them, for good). */
export class CanarySchema1780000000000 implements MigrationInterface {
  readonly name = 'CanarySchema1780000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE releases (
        canary_id          uuid PRIMARY KEY,
        namespace          text NOT NULL,
        name               text NOT NULL,
        team               text NOT NULL,
        -- The spec that this release began with: a later change of the Canary must not steer it.
        spec               jsonb NOT NULL,
        release            bigint NOT NULL,
        phase              text NOT NULL,
        step               integer NOT NULL,
        weight             integer NOT NULL CHECK (weight BETWEEN 0 AND 100),
        since              timestamptz NOT NULL,
        started_at         timestamptz NOT NULL,
        traffic_since      timestamptz,
        failures           integer NOT NULL,
        inconclusive_since timestamptz,
        last_look_at       timestamptz,
        reason             text NOT NULL,
        evidence           jsonb NOT NULL,
        -- Raised by every write: a reconcile whose row changed under it starts over.
        version            bigint NOT NULL DEFAULT 1
      )`);
    await runner.query('CREATE INDEX releases_by_name ON releases (namespace, name)');
    await runner.query(`
      CREATE TABLE decisions (
        id         uuid PRIMARY KEY DEFAULT uuidv7(),
        canary_id  uuid NOT NULL,
        namespace  text NOT NULL,
        name       text NOT NULL,
        team       text NOT NULL,
        release    bigint NOT NULL,
        at         timestamptz NOT NULL,
        act        text NOT NULL,
        reason     text NOT NULL,
        actor      text NOT NULL,
        step       integer NOT NULL,
        weight     integer NOT NULL,
        evidence   jsonb NOT NULL
      )`);
    await runner.query('CREATE INDEX decisions_by_canary ON decisions (namespace, name, id DESC)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE decisions');
    await runner.query('DROP TABLE releases');
  }
}

/**
 * One release under way for each host and path, whichever controller decides: two that begin at the same moment both
 * find the route free. And what keeps a release from being carried out, for people.
 */
export class CanaryRoutes1780000000001 implements MigrationInterface {
  readonly name = 'CanaryRoutes1780000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE releases ADD COLUMN trouble text');
    await runner.query(`
      CREATE UNIQUE INDEX one_release_per_route ON releases ((spec #>> '{route,host}'), (spec #>> '{route,path}'))
        WHERE phase IN ('Pending', 'Progressing', 'Paused', 'Promoting', 'RollingBack')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX one_release_per_route');
    await runner.query('ALTER TABLE releases DROP COLUMN trouble');
  }
}

/** What the database of the service is made of, in order. */
export const canaryMigrations = [CanarySchema1780000000000, CanaryRoutes1780000000001];
