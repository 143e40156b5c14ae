import type { Database, MigrationClass, MigrationInterface, QueryRunner, Tx } from '@keelson/persistence';

class StreamOffset1790000000006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table stream_offset (
        stream text not null,
        instance text not null,
        next_offset bigint not null,
        primary key (stream, instance)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table stream_offset');
  }
}

/** What a service that subscribes to streams adds to its migrations. */
export const streamMigrations: readonly MigrationClass[] = [StreamOffset1790000000006];

/** Where an instance goes on; undefined before its first message. */
export async function nextOffset(database: Database, stream: string, instance: string): Promise<number | undefined> {
  const sql = 'select next_offset::float8 as next from stream_offset where stream = $1 and instance = $2';
  return (await database.query<{ next: number }>(sql, [stream, instance]))[0]?.next;
}

/**
 * Notes in the handler's own transaction that the instance has had the message at this offset. False when it had it
 * before: offsets of one instance only grow.
 */
export async function advance(tx: Tx, stream: string, instance: string, offset: number): Promise<boolean> {
  const sql = `
    insert into stream_offset values ($1, $2, $3)
    on conflict (stream, instance) do update set next_offset = excluded.next_offset
    where stream_offset.next_offset < excluded.next_offset`;
  return (await tx.execute(sql, [stream, instance, offset + 1])) === 1;
}
