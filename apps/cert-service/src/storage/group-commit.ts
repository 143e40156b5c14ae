import type { Database, Tx } from '@keelson/persistence';
import { isConnectionLoss } from '@keelson/persistence';

interface Waiting<Item> {
  readonly item: Item;
  readonly done: () => void;
  readonly failed: (reason: unknown) => void;
}

export interface GroupCommitOptions<Item> {
  readonly database: Database;
  /** Writes all items of a group; called again with one item each where the group as a whole could not be written. */
  readonly write: (tx: Tx, items: readonly Item[]) => Promise<void>;
  /** Items in one transaction at most. */
  readonly limit?: number;
}

/**
 * Writes what comes in while a transaction runs together in the next one. The audit chain has one end, so writers to it
 * take turns: with a transaction each, the turn would take a flush to disk; with groups it takes a flush for all that
 * wait. Nothing waits when nothing is ahead of it.
 */
export class GroupCommit<Item> {
  readonly #options: GroupCommitOptions<Item>;
  readonly #limit: number;
  readonly #queue: Waiting<Item>[] = [];
  #running = false;

  constructor(options: GroupCommitOptions<Item>) {
    this.#options = options;
    this.#limit = options.limit ?? 64;
  }

  /** Resolves when the item is committed. */
  commit(item: Item): Promise<void> {
    return new Promise((done, failed) => {
      this.#queue.push({ item, done, failed });
      if (!this.#running) void this.#run();
    });
  }

  /** Never rejects: what goes wrong is told to those whose items it concerns. */
  async #run(): Promise<void> {
    this.#running = true;
    // Those that came in the same turn of the event loop go together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) await this.#write(this.#queue.splice(0, this.#limit));
    this.#running = false;
  }

  async #write(group: readonly Waiting<Item>[]): Promise<void> {
    try {
      await this.#options.database.transaction((tx) =>
        this.#options.write(
          tx,
          group.map(({ item }) => item),
        ),
      );
    } catch (error) {
      // One item at fault must not fail the others; a lost connection fails all alike, and may have committed.
      if (group.length > 1 && !isConnectionLoss(error)) {
        for (const one of group) await this.#write([one]);
      } else for (const { failed } of group) failed(error);
      return;
    }
    for (const { done } of group) done();
  }
}
