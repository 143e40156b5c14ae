import pg from 'pg';
import { testDatabase, type TestDatabase, testVhost, type TestVhost } from '@keelson/testing';

describe('the servers of a test run', () => {
  let database: TestDatabase;
  let vhost: TestVhost;

  beforeAll(async () => {
    [database, vhost] = await Promise.all([testDatabase(), testVhost()]);
  });

  afterAll(async () => {
    await Promise.all([database.drop(), vhost.delete()]);
  });

  test('a test file gets an empty database that its own role owns', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query('create table things (id uuid primary key default uuidv7())');
    const { rows } = await client.query('select current_user = current_database() as own, count(*)::int from things');
    await client.end();
    expect(rows).toEqual([{ own: true, count: 0 }]);
  });

  test('a test file gets an empty virtual host that its management API shows', async () => {
    expect(await vhost.management(`/api/queues/${vhost.vhost}`)).toEqual([]);
    expect(vhost.amqpUrl).toContain(vhost.vhost);
  });
});
