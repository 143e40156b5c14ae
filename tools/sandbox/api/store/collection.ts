import type { KubeObject } from '../json.ts';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One write. `object` of a deletion is the last state, carrying the deletion's own revision, as etcd's watch gives it. */
export interface Change {
  type: ChangeType;
  revision: number;
  object: KubeObject;
  previous?: KubeObject | undefined;
}

/** Thrown where the history asked for is gone; callers turn it into 410. */
export class CompactedError extends Error {
  readonly oldest: number;
  constructor(oldest: number) {
    super(`history before revision ${oldest} is gone`);
    this.oldest = oldest;
  }
}

/** The key of an object in its collection; NUL cannot be in a name, so namespaces never run into each other. */
export const keyOf = (namespace: string | undefined, name: string): string => `${namespace ?? ''}\0${name}`;

/**
 * The objects of one resource and its latest changes. The changes serve watches that resume and lists at an exact
 * revision; only the last `window` of them are kept, so memory is bounded by count, not by how long it runs.
 */
export class Collection {
  readonly #window: number;
  readonly #objects = new Map<string, KubeObject>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #closers = new Set<() => void>();
  #changes: Change[] = [];
  /** Changes after this revision are all here. */
  #oldest = 0;
  /** The oldest revision whose state may be asked for: one more, after a compaction (as etcd counts). */
  #oldestState = 0;
  #sorted: string[] | undefined;

  constructor(options: { window: number }) {
    this.#window = options.window;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key);
  }

  /** All objects, or those of one namespace, ordered by namespace and name. */
  list(namespace?: string): KubeObject[] {
    return this.#select(this.#objects, (this.#sorted ??= [...this.#objects.keys()].sort()), namespace);
  }

  /** The objects as they were at `revision`. Throws CompactedError when the changes since then are not all kept. */
  listAt(revision: number, namespace?: string): KubeObject[] {
    if (revision < this.#oldestState) throw new CompactedError(this.#oldestState);
    const past = new Map(this.#objects);
    for (let i = this.#changes.length - 1; i >= 0; i--) {
      const change = this.#changes[i] as Change;
      if (change.revision <= revision) break;
      const key = keyOf(change.object.metadata.namespace, change.object.metadata.name);
      if (change.previous) past.set(key, change.previous);
      else past.delete(key);
    }
    return this.#select(past, [...past.keys()].sort(), namespace);
  }

  #select(objects: Map<string, KubeObject>, keys: string[], namespace?: string): KubeObject[] {
    const chosen = namespace === undefined ? keys : keys.filter((key) => key.startsWith(`${namespace}\0`));
    return chosen.map((key) => objects.get(key) as KubeObject);
  }

  /** The changes after `revision`, oldest first. Throws CompactedError when some of them are gone. */
  since(revision: number): Change[] {
    if (revision < this.#oldest) throw new CompactedError(this.#oldest);
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#changes[middle] as Change).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#changes.slice(low);
  }

  /** Called on every later change, in order, until the returned function is called. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called once should the collection go away, until the returned function is called. */
  onClose(closer: () => void): () => void {
    this.#closers.add(closer);
    return () => this.#closers.delete(closer);
  }

  close(): void {
    for (const closer of this.#closers) closer();
  }

  apply(change: Change): void {
    const key = keyOf(change.object.metadata.namespace, change.object.metadata.name);
    if (change.type === 'DELETED') this.#objects.delete(key);
    else this.#objects.set(key, change.object);
    if (change.type !== 'MODIFIED') this.#sorted = undefined;
    this.#changes.push(change);
    // Cut in chunks: shifting one by one would copy the window on every write.
    if (this.#changes.length > this.#window * 1.25) this.#trim(this.#changes.length - this.#window);
    for (const listener of this.#listeners) listener(change);
  }

  /**
   * Forgets the history before `revision`, as etcd's compaction does: the change at that revision itself is still
   * told, the states before it are gone.
   */
  compact(revision: number): void {
    this.#changes = this.#changes.filter((change) => change.revision >= revision);
    this.#oldest = Math.max(this.#oldest, revision - 1);
    this.#oldestState = Math.max(this.#oldestState, revision);
  }

  #trim(count: number): void {
    this.#oldest = (this.#changes[count - 1] as Change).revision;
    this.#oldestState = Math.max(this.#oldestState, this.#oldest);
    this.#changes = this.#changes.slice(count);
  }
}
