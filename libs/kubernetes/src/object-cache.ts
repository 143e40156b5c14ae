import type { KubernetesObject, WatchEventType } from './wire.ts';

/** `previous` is what the cache had: undefined for ADDED. */
export type Change<T> = { type: WatchEventType; object: T; previous: T | undefined };

/**
 * The last seen state of a collection, by namespace and name. Told changes always fit together: an object is ADDED
 * once, MODIFIED only while it is there, and DELETED before another one takes its name.
 */
export class ObjectCache<T extends KubernetesObject> {
  readonly #objects = new Map<string, T>();

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#objects.get(keyOf(namespace, name));
  }

  values(): T[] {
    return [...this.#objects.values()];
  }

  /** Takes an event of the watch; what is already known (delivered twice) changes nothing. */
  take(type: WatchEventType, object: T): Change<T>[] {
    const key = keyOfObject(object);
    const previous = this.#objects.get(key);
    if (type === 'DELETED') {
      this.#objects.delete(key);
      return previous === undefined ? [] : [{ type, object, previous }];
    }
    if (previous !== undefined && sameVersion(previous, object)) return [];
    this.#objects.set(key, object);
    if (previous === undefined) return [{ type: 'ADDED', object, previous }];
    if (previous.metadata?.uid === object.metadata?.uid) return [{ type: 'MODIFIED', object, previous }];
    // The same name but another object: the old one went, unseen.
    return [
      { type: 'DELETED', object: previous, previous },
      { type: 'ADDED', object, previous: undefined },
    ];
  }

  /** Takes a whole list; the changes are how it differs from what was known. */
  replaceAll(items: T[]): Change<T>[] {
    const listed = new Set(items.map(keyOfObject));
    const gone = this.values().filter((object) => !listed.has(keyOfObject(object)));
    return [
      ...gone.flatMap((object) => this.take('DELETED', object)),
      ...items.flatMap((item) => this.take('ADDED', item)),
    ];
  }
}

function sameVersion(a: KubernetesObject, b: KubernetesObject): boolean {
  return a.metadata?.uid === b.metadata?.uid && a.metadata?.resourceVersion === b.metadata?.resourceVersion;
}

function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

function keyOfObject(object: KubernetesObject): string {
  return keyOf(object.metadata?.namespace, object.metadata?.name ?? '');
}
