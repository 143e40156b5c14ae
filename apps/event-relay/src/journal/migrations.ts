import type { MigrationClass } from '@keelson/persistence';
import { JournalSchema1780000000000 } from './schema.migration.ts';
import { JournalUpkeep1790000000000 } from './upkeep.migration.ts';

/** The service's own tables, in order. */
export const journalMigrations: readonly MigrationClass[] = [JournalSchema1780000000000, JournalUpkeep1790000000000];
