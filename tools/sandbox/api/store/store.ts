import { randomUUID } from 'node:crypto';

import type { KubeObject } from '../json.ts';
import { type Change, type ChangeType, Collection } from './collection.ts';

/**
 * All collections under one revision counter, as etcd has it: every write anywhere takes the next revision, and that
 * is the object's resourceVersion. Writes are synchronous, so a read-modify-write in one turn is atomic.
 */
export class Store {
  readonly #collections = new Map<string, Collection>();
  readonly #listeners = new Set<(collection: string, change: Change) => void>();
  readonly #window: number;
  readonly #dropped = new Map<string, number>();
  #revision = 1;
  #compacted = 0;

  /** `window`: how many changes each resource keeps for watches that resume. */
  constructor(options: { window: number }) {
    this.#window = options.window;
  }

  get revision(): number {
    return this.#revision;
  }

  collection(name: string): Collection {
    let found = this.#collections.get(name);
    if (!found) {
      found = new Collection({ window: this.#window });
      const since = Math.max(this.#compacted, this.#dropped.get(name) ?? 0);
      if (since > 0) found.compact(since);
      this.#collections.set(name, found);
    }
    return found;
  }

  /**
   * Drops a collection and its history (a custom resource definition that went away). Its watches end; should it come
   * again, they cannot resume from before.
   */
  drop(name: string): void {
    this.#collections.get(name)?.close();
    this.#collections.delete(name);
    this.#dropped.set(name, this.#revision + 1);
  }

  /** Called on every change of every collection, after the collection's own watchers. */
  listen(listener: (collection: string, change: Change) => void): void {
    this.#listeners.add(listener);
  }

  /** Writes `object` (a deletion writes its last state) and returns it with its new resourceVersion. */
  write(name: string, type: ChangeType, object: KubeObject, previous: KubeObject | undefined): KubeObject {
    const revision = ++this.#revision;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    const change: Change = { type, revision, object: stored, previous };
    this.collection(name).apply(change);
    for (const listener of this.#listeners) listener(name, change);
    return stored;
  }

  /** Forgets the history of all resources before the present revision; returns that. */
  compact(): number {
    this.#compacted = this.#revision;
    for (const collection of this.#collections.values()) collection.compact(this.#revision);
    return this.#revision;
  }
}

export const newUid = (): string => randomUUID();
