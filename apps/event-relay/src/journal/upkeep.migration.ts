import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Originals keep the order of their keys (json, not jsonb), which kube-eventer's format needs; running counts can be
 * cleaned up; a sink's last error is known to every replica; a replay has bounds in time.
 */
export class JournalUpkeep1790000000000 implements MigrationInterface {
  readonly name = 'JournalUpkeep1790000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE journal ALTER COLUMN original TYPE json USING original::json');
    await runner.query('CREATE INDEX event_series_by_last_seen ON event_series (last_seen)');
    await runner.query('ALTER TABLE sink_cursors ADD COLUMN last_error text');
    await runner.query(`
      ALTER TABLE replays
        ADD COLUMN since  timestamptz NOT NULL DEFAULT '-infinity',
        ADD COLUMN before timestamptz NOT NULL DEFAULT 'infinity'`);
    await runner.query("COMMENT ON COLUMN replays.cursor IS 'last sequence that the replay has dealt with'");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE replays DROP COLUMN since, DROP COLUMN before');
    await runner.query('ALTER TABLE sink_cursors DROP COLUMN last_error');
    await runner.query('DROP INDEX event_series_by_last_seen');
    await runner.query('ALTER TABLE journal ALTER COLUMN original TYPE jsonb USING original::jsonb');
  }
}
