import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { type Postgres, privateFolder, removePrivateFolder, startPostgres, testPostgres } from '@keelson/testing';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
}

describe('a PostgreSQL of its own', () => {
  let postgres: Postgres;

  beforeAll(async () => {
    postgres = await testPostgres();
  });

  afterAll(() => postgres.stop());

  test('keeps two services out of each other’s databases', async () => {
    const orders = await postgres.createDatabase({ name: 'orders' });
    await postgres.createDatabase({ name: 'certificates' });
    const other = new URL(orders);
    other.pathname = '/certificates';
    await expect(query(other.href, 'select 1')).rejects.toThrow('permission denied for database "certificates"');
  });

  test('gives the same database a second time, with the data that were in it', async () => {
    const first = await postgres.createDatabase({ name: 'kept', password: 'one' });
    await query(first, 'create table facts as select 7 as n');
    const second = await postgres.createDatabase({ name: 'kept', password: 'two' });
    expect(await query(second, 'select n from facts')).toEqual([{ n: 7 }]);
  });

  test('comes back on the same port with committed data after kill -9', async () => {
    const url = await postgres.createDatabase({ name: 'crash' });
    await query(url, 'create table facts as select 7 as n');
    const connected = new pg.Client({ connectionString: url });
    connected.on('error', () => {});
    await connected.connect();
    postgres.kill('SIGKILL');
    // Each of its processes has died, not the first one alone.
    await expect(connected.query('insert into facts values (8)')).rejects.toThrow(/terminat|ECONNRESET|not queryable/i);
    await postgres.restart();
    expect(await query(url, 'select n from facts')).toEqual([{ n: 7 }]);
  });

  test('writes durably where it is asked to, and keeps a folder that it was given', async () => {
    const folder = privateFolder('kept');
    const dataDir = join(folder, 'data');
    const first = await startPostgres({ durable: true, dataDir });
    const settings = await query(
      first.adminUrl,
      `select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit') order by name`,
    );
    await query(first.adminUrl, 'create table facts as select 7 as n');
    await first.stop();
    const second = await startPostgres({ durable: true, dataDir });
    const facts = await query(second.adminUrl, 'select n from facts');
    await second.stop();
    expect(settings).toEqual(
      ['fsync', 'full_page_writes', 'synchronous_commit'].map((name) => ({ name, setting: 'on' })),
    );
    expect(facts).toEqual([{ n: 7 }]);
    expect(existsSync(dataDir)).toBe(true);
    removePrivateFolder(folder);
  });
});
