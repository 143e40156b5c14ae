import type { Cluster } from '../core/cluster.ts';
import { remove } from '../core/write.ts';
import type { Resource } from '../registry.ts';

/**
 * Drops Events `ttlMs` after their last write, as etcd's lease does. Returns the function that stops it.
 */
export function expireEvents(cluster: Cluster, ttlMs: number): () => void {
  // By key, in the order of their last write: the oldest are in front.
  const written = new Map<string, { namespace: string; name: string; at: number }>();
  cluster.store.listen((collection, { type, object }) => {
    if (collection !== '/events') return;
    const { namespace = '', name } = object.metadata;
    const key = `${namespace}/${name}`;
    written.delete(key);
    if (type !== 'DELETED') written.set(key, { namespace, name, at: cluster.now().getTime() });
  });
  const sweep = (): void => {
    const limit = cluster.now().getTime() - ttlMs;
    const events = cluster.registry.find('', 'v1', 'events') as Resource;
    for (const { namespace, name, at } of written.values()) {
      if (at > limit) break;
      const object = cluster.find('/events', namespace, name);
      if (object) remove(cluster, events, object);
    }
  };
  const timer = setInterval(sweep, Math.min(1000, ttlMs / 4));
  return () => clearInterval(timer);
}
