import type { Database } from '@keelson/persistence';

/** What handlers leave in the database, one row for each time that one of them took effect. */
export class Effects {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  static async in(database: Database): Promise<Effects> {
    await database.execute('create table effect (id int generated always as identity, message_id text)');
    return new Effects(database);
  }

  /** Forgets them, and with them that their messages were handled. */
  async forget(): Promise<void> {
    await this.#database.execute('truncate effect, inbox');
  }

  /** Ids of the messages, in the order of their effects. */
  async ids(): Promise<string[]> {
    const rows = await this.#database.query<{ message_id: string }>('select message_id from effect order by id');
    return rows.map((row) => row.message_id);
  }
}
