import type { KubeObject } from '../json.ts';
import type { Context } from '../kinds/strategy.ts';
import { builtIn } from '../kinds/table.ts';
import { Registry } from '../registry.ts';
import { keyOf } from '../store/collection.ts';
import { Store } from '../store/store.ts';

export interface ClusterOptions {
  /** How many changes each resource keeps for watches that resume. */
  window: number;
  now?: () => Date;
}

/** Everything the API server knows: what it serves, what is stored, and the time. */
export class Cluster {
  readonly store: Store;
  readonly registry = new Registry(builtIn);
  readonly now: () => Date;

  constructor(options: ClusterOptions) {
    this.store = new Store({ window: options.window });
    this.now = options.now ?? (() => new Date());
  }

  context(old?: KubeObject): Context {
    return {
      ...(old ? { old } : {}),
      now: this.now(),
      find: (collection, namespace, name) => this.find(collection, namespace, name),
      list: (collection, namespace) => this.store.collection(collection).list(namespace),
    };
  }

  find(collection: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.store.collection(collection).get(keyOf(namespace, name));
  }
}
