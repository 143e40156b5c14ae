import { Database } from '@keelson/persistence';
import { testDatabase, type TestDatabase } from '@keelson/testing';
import { GroupCommit } from '../src/storage/group-commit.ts';

describe('group commit', () => {
  let server: TestDatabase;
  let database: Database;
  let groups: number[][];
  let group: GroupCommit<number>;

  beforeAll(async () => {
    server = await testDatabase();
    database = await Database.open({ url: server.url, name: 'test', migrations: [] });
    await database.query('create table items (value integer primary key check (value <> 13))');
  });
  beforeEach(async () => {
    await database.query('truncate items');
    groups = [];
    group = new GroupCommit<number>({
      database,
      limit: 8,
      write: async (tx, items) => {
        groups.push([...items]);
        await tx.query('insert into items select unnest($1::int[])', [items]);
      },
    });
  });
  afterAll(async () => {
    await database?.close();
    await server?.drop();
  });

  const stored = async (): Promise<number[]> =>
    (await database.query<{ value: number }>('select value from items order by value')).map(({ value }) => value);

  test('writes what comes together in one transaction, and no more than the limit', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, at) => group.commit(at + 100)));
    expect(groups.map((one) => one.length)).toEqual([8, 8, 4]);
    expect(await stored()).toHaveLength(20);
  });

  test('an item is committed when its promise resolves', async () => {
    for (const value of [1, 2, 3]) {
      await group.commit(value);
      expect(await stored()).toContain(value);
    }
    expect(groups).toEqual([[1], [2], [3]]);
  });

  test('an item at fault fails alone', async () => {
    const results = await Promise.allSettled([11, 12, 13, 14].map((value) => group.commit(value)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(await stored()).toEqual([11, 12, 14]);
    await group.commit(15);
    expect(await stored()).toContain(15);
  });
});
