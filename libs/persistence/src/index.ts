export { AdvisoryLock, type LockSession } from './advisory-lock.ts';
export { Database, type DatabaseOptions } from './database.ts';
export {
  DatabaseAccessError,
  DatabaseUnavailableError,
  isConnectionLoss,
  isTransient,
  NewerSchemaError,
  sqlState,
} from './failures.ts';
export { idempotencyMigrations } from './idempotency/migrations.ts';
export { PostgresIdempotencyStore, type IdempotencyOptions } from './idempotency/store.ts';
export { stderrLog, type Log } from './log.ts';
export { type MigrationClass } from './migrations.ts';
// What a migration is made of, for libraries that bring tables of their own.
export type { MigrationInterface, QueryRunner } from 'typeorm';
export { PersistenceModule, type PersistenceModuleOptions } from './nest/persistence.module.ts';
export { type Tx } from './transaction.ts';
