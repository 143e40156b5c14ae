import { Fifo } from '../publish/fifo.ts';

export interface Entry<T> {
  readonly item: T;
  readonly key: string | undefined;
}

/**
 * What waits to be handled. Of entries with the same key one is out at a time, in the order they came; entries without
 * a key wait for nobody. Every step takes constant time, however many keys there are.
 */
export class Lanes<T> {
  readonly #ready = new Fifo<Entry<T>>();
  /** Key -> what waits behind the one of this key that is ready or out. */
  readonly #behind = new Map<string, Fifo<Entry<T>>>();
  #length = 0;

  /** Entries that are not out. */
  get length(): number {
    return this.#length;
  }

  push(item: T, key?: string): void {
    const entry = { item, key };
    this.#length += 1;
    if (key === undefined) return this.#ready.push(entry);
    const behind = this.#behind.get(key);
    if (behind !== undefined) return behind.push(entry);
    this.#behind.set(key, new Fifo());
    this.#ready.push(entry);
  }

  /** The next one that may be handled now. Call {@link done} when it was. */
  next(): Entry<T> | undefined {
    const entry = this.#ready.shift();
    if (entry !== undefined) this.#length -= 1;
    return entry;
  }

  /** Lets the next one of the key come. */
  done({ key }: Entry<T>): void {
    if (key === undefined) return;
    const next = this.#behind.get(key)?.shift();
    if (next === undefined) this.#behind.delete(key);
    else this.#ready.push(next);
  }

  /** Takes out everything that is not out yet. */
  clear(): T[] {
    const all = [this.#ready, ...this.#behind.values()].flatMap((queue) => queue.removeIf(() => true));
    this.#behind.clear();
    this.#length = 0;
    return all.map(({ item }) => item);
  }
}
