import { ListWatch, type ListWatchOptions } from './list-watch.ts';
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
  readonly #objects = new Map<string, T>();
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
        this.#replaceAll(items);
        this.#hasSynced = true;
        settle();
      },
      onEvent: (type, object) => this.#put(type, this.#keep(object)),
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
    return this.#objects.get(keyOf(namespace, name));
  }

  /** All, or those of one namespace. */
  list(namespace?: string): T[] {
    const all = [...this.#objects.values()];
    return namespace === undefined ? all : all.filter((object) => object.metadata?.namespace === namespace);
  }

  /** Called for every change from now on, synchronously, after the cache has it. Returns how to end that. */
  onChange(handler: ChangeHandler<T>): () => void {
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  #replaceAll(items: T[]): void {
    const gone = new Map(this.#objects);
    for (const item of items) {
      const object = this.#keep(item);
      const key = keyOf(object.metadata?.namespace, object.metadata?.name ?? '');
      const previous = gone.get(key);
      gone.delete(key);
      if (previous?.metadata?.uid === object.metadata?.uid && previous !== undefined) {
        if (previous.metadata?.resourceVersion !== object.metadata?.resourceVersion) this.#put('MODIFIED', object);
        continue;
      }
      // The same name but another object: the old one went, unseen.
      if (previous !== undefined) this.#put('DELETED', previous);
      this.#put('ADDED', object);
    }
    for (const object of gone.values()) this.#put('DELETED', object);
  }

  #put(type: WatchEventType, object: T): void {
    const key = keyOf(object.metadata?.namespace, object.metadata?.name ?? '');
    const previous = this.#objects.get(key);
    if (type === 'DELETED') this.#objects.delete(key);
    else this.#objects.set(key, object);
    // Delivered again after a broken connection: the cache knows it.
    if (type !== 'DELETED' && previous !== undefined && sameVersion(previous, object)) return;
    if (type === 'DELETED' && previous === undefined) return;
    const told = type === 'DELETED' ? type : previous === undefined ? 'ADDED' : 'MODIFIED';
    for (const handler of this.#handlers) handler(told, object, previous);
  }
}

function sameVersion(a: KubernetesObject, b: KubernetesObject): boolean {
  return a.metadata?.uid === b.metadata?.uid && a.metadata?.resourceVersion === b.metadata?.resourceVersion;
}

function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

function withoutManagedFields<T extends KubernetesObject>(object: T): T {
  if (object.metadata?.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
