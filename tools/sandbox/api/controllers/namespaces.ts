import type { Cluster } from '../core/cluster.ts';
import { deleteObject } from '../core/delete.ts';
import { create, remove } from '../core/write.ts';
import type { KubeObject } from '../json.ts';
import type { Resource } from '../registry.ts';

const collection = '/namespaces';

/**
 * Gives every namespace its `default` service account, and empties one that is deleted before it goes. Pods end by
 * their node (or at once where none has them), and the namespace waits for them.
 */
export function followNamespaces(cluster: Cluster): void {
  cluster.store.listen((name, { type, object }) => {
    if (name === collection) {
      if (type === 'ADDED') queueMicrotask(() => addServiceAccount(cluster, object));
      if (type === 'MODIFIED' && object.metadata.deletionTimestamp)
        queueMicrotask(() => empty(cluster, object.metadata.name));
      return;
    }
    const { namespace } = object.metadata;
    if (type !== 'DELETED' || !namespace) return;
    if (cluster.find(collection, undefined, namespace)?.metadata.deletionTimestamp) {
      queueMicrotask(() => finish(cluster, namespace));
    }
  });
}

function addServiceAccount(cluster: Cluster, namespace: KubeObject): void {
  const { name } = namespace.metadata;
  const accounts = cluster.registry.find('', 'v1', 'serviceaccounts') as Resource;
  const now = cluster.find(collection, undefined, name);
  if (!now || now.metadata.deletionTimestamp || cluster.find('/serviceaccounts', name, 'default')) return;
  create(cluster, accounts, name, { metadata: { name: 'default' } }, { manager: 'kube-controller-manager' });
}

/** One resource per storage, so that two views of it are not emptied twice. */
const namespaced = (cluster: Cluster): Resource[] => [
  ...new Map(
    cluster.registry
      .all()
      .filter((r) => r.namespaced)
      .map((r) => [r.storage, r]),
  ).values(),
];

function empty(cluster: Cluster, namespace: string): void {
  for (const resource of namespaced(cluster)) {
    for (const { metadata } of cluster.store.collection(resource.storage).list(namespace)) {
      if (!metadata.deletionTimestamp) {
        deleteObject(cluster, resource, namespace, metadata.name, { propagationPolicy: 'Background' });
      }
    }
  }
  finish(cluster, namespace);
}

function finish(cluster: Cluster, name: string): void {
  const namespace = cluster.find(collection, undefined, name);
  if (!namespace?.metadata.deletionTimestamp) return;
  if (namespaced(cluster).some((r) => cluster.store.collection(r.storage).list(name).length > 0)) return;
  const { finalizers: _, ...spec } = namespace['spec'] ?? {};
  const done: KubeObject = { ...namespace, spec };
  if (namespace.metadata.finalizers?.length) cluster.store.write(collection, 'MODIFIED', done, namespace);
  else remove(cluster, cluster.registry.find('', 'v1', 'namespaces') as Resource, done);
}
