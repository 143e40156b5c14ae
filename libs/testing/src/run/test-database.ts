import { randomBytes } from 'node:crypto';
import { createDatabase, dropDatabase } from '../postgres/databases.ts';
import { sharedPart } from './shared-parts.ts';

export interface TestDatabase {
  /** As its owner, a role of its own. */
  readonly url: string;
  drop(): Promise<void>;
}

/** An empty database on the run's PostgreSQL, for one test file. */
export async function testDatabase(): Promise<TestDatabase> {
  const { adminUrl } = await sharedPart('postgres');
  const name = `test_${randomBytes(6).toString('hex')}`;
  return { url: await createDatabase(adminUrl, { name }), drop: () => dropDatabase(adminUrl, { name }) };
}
