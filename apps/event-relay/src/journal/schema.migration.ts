import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The journal, where each reader of it stands, what a sink refused, and what was lost before it could be read. */
export class JournalSchema1780000000000 implements MigrationInterface {
  readonly name = 'JournalSchema1780000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE journal (
        -- Given in commit order (appends hold one advisory lock): a cursor that has passed n will never miss one below it.
        sequence    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id          uuid NOT NULL DEFAULT uuidv7() UNIQUE,
        dedupe_key  text NOT NULL UNIQUE,
        team        text NOT NULL,
        source      text NOT NULL,
        cluster     text NOT NULL,
        type        text NOT NULL,
        reason      text NOT NULL,
        message     text NOT NULL,
        kind        text NOT NULL,
        namespace   text,
        name        text NOT NULL,
        object      jsonb NOT NULL,
        reporter    text NOT NULL,
        node        text,
        labels      jsonb NOT NULL,
        count       bigint NOT NULL,
        delta       bigint NOT NULL,
        first_seen  timestamptz NOT NULL,
        last_seen   timestamptz NOT NULL,
        received_at timestamptz NOT NULL,
        original    jsonb NOT NULL
      )`);
    await runner.query('CREATE INDEX journal_by_object ON journal (namespace, kind, name text_pattern_ops, sequence)');
    await runner.query('CREATE INDEX journal_by_last_seen ON journal (last_seen)');
    await runner.query('CREATE INDEX journal_by_received_at ON journal (received_at)');
    await runner.query(`
      CREATE TABLE event_series (
        series_key text PRIMARY KEY,
        count      bigint NOT NULL,
        last_seen  timestamptz NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE watch_positions (
        cluster          text NOT NULL,
        api              text NOT NULL,
        resource_version text NOT NULL,
        at               timestamptz NOT NULL,
        PRIMARY KEY (cluster, api)
      )`);
    await runner.query(`
      CREATE TABLE sink_cursors (
        sink      text PRIMARY KEY,
        cursor    bigint NOT NULL,
        delivered bigint NOT NULL DEFAULT 0
      )`);
    await runner.query(`
      CREATE TABLE replays (
        id     uuid PRIMARY KEY DEFAULT uuidv7(),
        sink   text NOT NULL,
        -- Last journal sequence that was looked at, and the last one of the range.
        cursor bigint NOT NULL,
        until  bigint NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE dead_letters (
        id       uuid PRIMARY KEY DEFAULT uuidv7(),
        sink     text NOT NULL,
        sequence bigint NOT NULL REFERENCES journal ON DELETE CASCADE,
        reason   text NOT NULL,
        attempts integer NOT NULL,
        at       timestamptz NOT NULL,
        UNIQUE (sink, sequence)
      )`);
    await runner.query(`
      CREATE TABLE gaps (
        id        uuid PRIMARY KEY DEFAULT uuidv7(),
        cluster   text NOT NULL,
        cause     text NOT NULL,
        gap_from  timestamptz NOT NULL,
        gap_until timestamptz NOT NULL,
        detail    text NOT NULL
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of [
      'gaps',
      'dead_letters',
      'replays',
      'sink_cursors',
      'watch_positions',
      'event_series',
      'journal',
    ]) {
      await runner.query(`DROP TABLE ${table}`);
    }
  }
}
