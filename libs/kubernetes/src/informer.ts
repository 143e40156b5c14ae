import { ListWatch, type ListWatchOptions } from './list-watch.ts';
import { ObjectCache, type Change } from './object-cache.ts';
import type { KubernetesObject, WatchEventType } from './wire.ts';

export type InformerOptions<T> = Omit<
  ListWatchOptions<T>,
  'onSync' | 'onEvent' | 'resourceVersion' | 'resourceVersionAt'
> & {
  /** What is kept of an object, to save memory. Default: without metadata.managedFields. */
  keep?: (object: T) => T;
};

/** `previous` is what the cache had: undefined for ADDED. */
export type ChangeHandler<T> = (type: WatchEventType, object: T, previous: T | undefined) => void;

/**
 * The present state of a collection, in memory. Changes that a list brings to light (after a gap, an outage) are
 * told as ADDED, MODIFIED and DELETED like any other. Objects are shared: do not change them.
 */
export class Informer<T extends KubernetesObject = KubernetesObject> {
  /** Settles once the first list is in the cache. Never rejects: it is tried for as long as the informer runs. */
  readonly synced: Promise<void>;
  readonly #cache = new ObjectCache<T>();
  readonly #handlers = new Set<ChangeHandler<T>>();
  readonly #watch: ListWatch<T>;
  readonly #keep: (object: T) => T;
  #hasSynced = false;

  constructor(options: InformerOptions<T>) {
    const { keep = withoutManagedFields, ...rest } = options;
    this.#keep = keep;
    let settle: () => void;
    this.synced = new Promise((resolve) => {
      settle = resolve;
    });
    this.#watch = new ListWatch<T>({
      ...rest,
      onSync: (items) => {
        this.#tell(this.#cache.replaceAll(items.map(this.#keep)));
        this.#hasSynced = true;
        settle();
      },
      onEvent: (type, object) => this.#tell(this.#cache.take(type, this.#keep(object))),
    });
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** How the list-watch behind it is doing. */
  get state(): ListWatch['state'] {
    return this.#watch.state;
  }

  /** When the API server last said something. */
  get heardAt(): Date | undefined {
    return this.#watch.heardAt;
  }

  start(): void {
    this.#watch.start();
  }

  stop(): Promise<void> {
    return this.#watch.stop();
  }

  /** By namespace and name; the namespace of a cluster-wide object is undefined. */
  get(namespace: string | undefined, name: string): T | undefined {
    return this.#cache.get(namespace, name);
  }

  /** All, or those of one namespace. */
  list(namespace?: string): T[] {
    const all = this.#cache.values();
    return namespace === undefined ? all : all.filter((object) => object.metadata?.namespace === namespace);
  }

  /**
   * Called for every change from now on, after the cache has it (and, for a list, all of the list). Must not throw.
   * Returns how to end that.
   */
  onChange(handler: ChangeHandler<T>): () => void {
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  #tell(changes: Change<T>[]): void {
    for (const { type, object, previous } of changes) {
      for (const handler of this.#handlers) handler(type, object, previous);
    }
  }
}

function withoutManagedFields<T extends KubernetesObject>(object: T): T {
  if (object.metadata?.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
