/** What TypeORM gives a migration; structural, so that the kit need not depend on it. */
interface QueryRunner {
  query(sql: string): Promise<unknown>;
}

/**
 * The table of {@link PostgresIdempotencyStore}; services add it to their own migrations. One row for each key of each
 * owner and operation; `status` is null while the first request is at work.
 */
export class IdempotencyKeys1767225600000 {
  readonly name = 'IdempotencyKeys1767225600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE idempotency_keys (
        owner        text        NOT NULL,
        operation    text        NOT NULL,
        key          text        NOT NULL,
        fingerprint  text        NOT NULL,
        claim        uuid        NOT NULL,
        claimed_until timestamptz NOT NULL,
        status       smallint,
        body         text,
        content_type text,
        expires_at   timestamptz NOT NULL,
        PRIMARY KEY (owner, operation, key)
      )`);
    await runner.query('CREATE INDEX idempotency_keys_expires_at ON idempotency_keys (expires_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE idempotency_keys');
  }
}

export const idempotencyMigrations = [IdempotencyKeys1767225600000];
