import type { Cluster } from '../core/cluster.ts';
import { deleteObject } from '../core/delete.ts';
import { remove } from '../core/write.ts';
import type { KubeObject, OwnerReference } from '../json.ts';
import type { Resource } from '../registry.ts';
import { keyOf } from '../store/collection.ts';

interface Node {
  collection: string;
  namespace: string | undefined;
  name: string;
}

/**
 * Deletes what is left without an owner (metadata.ownerReferences), and carries out the Foreground and Orphan
 * policies. It sees every write as it happens, so unlike the real controller it needs no graph of its own to rebuild:
 * one index from owner uid to dependents.
 */
export function collectGarbage(cluster: Cluster): void {
  const collector = new Collector(cluster);
  cluster.store.listen((collection, change) =>
    collector.note(collection, change.type === 'DELETED', change.object, change.previous),
  );
}

class Collector {
  readonly #cluster: Cluster;
  readonly #dependents = new Map<string, Map<string, Node>>();
  readonly #alive = new Set<string>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  note(collection: string, deleted: boolean, object: KubeObject, previous: KubeObject | undefined): void {
    const { uid, namespace, name } = object.metadata;
    const node: Node = { collection, namespace, name };
    for (const { uid: owner } of previous?.metadata.ownerReferences ?? []) this.#dependents.get(owner)?.delete(uid);
    if (deleted) {
      this.#alive.delete(uid);
      queueMicrotask(() => this.#ownerGone(uid, object.metadata.ownerReferences));
      return;
    }
    this.#alive.add(uid);
    const owners = object.metadata.ownerReferences ?? [];
    for (const { uid: owner } of owners) {
      if (!this.#dependents.has(owner)) this.#dependents.set(owner, new Map());
      this.#dependents.get(owner)?.set(uid, node);
    }
    const policy = object.metadata.deletionTimestamp
      ? object.metadata.finalizers?.find((f) => f === 'foregroundDeletion' || f === 'orphan')
      : undefined;
    if (policy === 'foregroundDeletion') queueMicrotask(() => this.#foreground(node, uid));
    else if (policy === 'orphan') queueMicrotask(() => this.#orphan(node, uid));
    else if (owners.length > 0 && !previous) queueMicrotask(() => this.#checkOwners(node, uid));
  }

  #object(node: Node, uid: string): KubeObject | undefined {
    const found = this.#cluster.store.collection(node.collection).get(keyOf(node.namespace, node.name));
    return found?.metadata.uid === uid ? found : undefined;
  }

  #resource(node: Node): Resource | undefined {
    return this.#cluster.registry.all().find((r) => r.storage === node.collection);
  }

  /** Whether the owner that a reference names is there: by uid, and where an owner may be (same namespace or none). */
  #exists(owner: OwnerReference, namespace: string | undefined): boolean {
    if (!this.#alive.has(owner.uid)) return false;
    const resource = this.#cluster.registry.byKind(owner.apiVersion, owner.kind);
    if (!resource) return false;
    const scope = resource.namespaced ? namespace : undefined;
    return this.#cluster.find(resource.storage, scope, owner.name)?.metadata.uid === owner.uid;
  }

  #checkOwners(node: Node, uid: string): void {
    const object = this.#object(node, uid);
    const resource = this.#resource(node);
    if (!object || !resource || object.metadata.deletionTimestamp) return;
    const owners = object.metadata.ownerReferences ?? [];
    const left = owners.filter((owner) => this.#exists(owner, object.metadata.namespace));
    if (owners.length === 0 || left.length === owners.length) return;
    if (left.length > 0) this.#setOwners(node, object, left);
    else
      deleteObject(this.#cluster, resource, object.metadata.namespace, object.metadata.name, {
        propagationPolicy: 'Background',
      });
  }

  #setOwners(node: Node, object: KubeObject, owners: OwnerReference[]): void {
    const { ownerReferences: _, ...metadata } = object.metadata;
    const next = { ...object, metadata: owners.length > 0 ? { ...metadata, ownerReferences: owners } : metadata };
    this.#cluster.store.write(node.collection, 'MODIFIED', next, object);
  }

  #ownerGone(uid: string, owners: OwnerReference[] | undefined): void {
    for (const [dependent, node] of this.#dependents.get(uid) ?? []) this.#checkOwners(node, dependent);
    this.#dependents.delete(uid);
    // An owner that waits in the foreground may have lost its last dependent.
    for (const { apiVersion, kind, name } of owners ?? []) {
      const resource = this.#cluster.registry.byKind(apiVersion, kind);
      const holder =
        resource &&
        this.#cluster.store
          .collection(resource.storage)
          .list()
          .find((o) => o.metadata.name === name && owners?.some((r) => r.uid === o.metadata.uid));
      if (resource && holder?.metadata.finalizers?.includes('foregroundDeletion')) {
        this.#foreground(
          { collection: resource.storage, namespace: holder.metadata.namespace, name },
          holder.metadata.uid,
        );
      }
    }
  }

  #foreground(node: Node, uid: string): void {
    const owner = this.#object(node, uid);
    if (!owner?.metadata.deletionTimestamp) return;
    for (const [dependent, at] of this.#dependents.get(uid) ?? []) {
      const object = this.#object(at, dependent);
      const resource = this.#resource(at);
      if (object && resource && !object.metadata.deletionTimestamp) {
        deleteObject(this.#cluster, resource, at.namespace, at.name, { propagationPolicy: 'Foreground' });
      }
    }
    const blockers = [...(this.#dependents.get(uid) ?? [])].filter(([dependent, at]) => {
      const reference = this.#object(at, dependent)?.metadata.ownerReferences?.find((r) => r.uid === uid);
      return reference?.blockOwnerDeletion === true;
    });
    if (blockers.length === 0) this.#release(node, uid, 'foregroundDeletion');
  }

  #orphan(node: Node, uid: string): void {
    for (const [dependent, at] of this.#dependents.get(uid) ?? []) {
      const object = this.#object(at, dependent);
      if (object)
        this.#setOwners(
          at,
          object,
          (object.metadata.ownerReferences ?? []).filter((r) => r.uid !== uid),
        );
    }
    this.#dependents.delete(uid);
    this.#release(node, uid, 'orphan');
  }

  /** Takes a finalizer off; an object without any goes. */
  #release(node: Node, uid: string, finalizer: string): void {
    const object = this.#object(node, uid);
    const resource = this.#resource(node);
    if (!object || !resource) return;
    const finalizers = (object.metadata.finalizers ?? []).filter((f) => f !== finalizer);
    const { finalizers: _, ...rest } = object.metadata;
    const next = { ...object, metadata: finalizers.length > 0 ? { ...rest, finalizers } : rest };
    const waits = finalizers.length > 0 || (object.metadata.deletionGracePeriodSeconds ?? 0) > 0;
    if (waits) this.#cluster.store.write(node.collection, 'MODIFIED', next, object);
    else remove(this.#cluster, resource, next);
  }
}
