import type { Cluster } from '../core/cluster.ts';
import { deleteObject } from '../core/delete.ts';
import { remove } from '../core/write.ts';
import { customResources } from '../custom/resource.ts';
import { type Json, type KubeObject, timestamp } from '../json.ts';
import type { Resource } from '../registry.ts';

const collection = 'apiextensions.k8s.io/customresourcedefinitions';
const finalizer = 'customresourcecleanup.apiextensions.k8s.io';

/** Serves custom resources as their definitions come, change and go. */
export function followDefinitions(cluster: Cluster): void {
  cluster.store.listen((name, change) => {
    if (name === collection) {
      const { spec } = change.object as Json;
      if (change.type === 'DELETED') {
        cluster.registry.setCustom(spec.group, spec.names.plural, []);
        cluster.store.drop(`${spec.group}/${spec.names.plural}`);
      } else if (change.object.metadata.deletionTimestamp) end(cluster, change.object);
      else serve(cluster, change.object, change.previous);
      return;
    }
    // The last object of a definition that is going takes the definition with it.
    if (change.type !== 'DELETED' || cluster.store.collection(name).size > 0) return;
    const owner = cluster.store
      .collection(collection)
      .list()
      .find((d) => `${d['spec'].group}/${d['spec'].names.plural}` === name);
    if (owner?.metadata.deletionTimestamp) end(cluster, owner);
  });
}

const resourceOf = (cluster: Cluster): Resource =>
  cluster.registry.find('apiextensions.k8s.io', 'v1', 'customresourcedefinitions') as Resource;

function serve(cluster: Cluster, definition: KubeObject, previous: KubeObject | undefined): void {
  const { spec } = definition as Json;
  if (definition['spec'] !== previous?.['spec']) {
    cluster.registry.setCustom(spec.group, spec.names.plural, customResources(definition));
  }
  const conditions: Json[] = definition['status']?.conditions ?? [];
  if (conditions.some((c) => c.type === 'Established')) return;
  const lastTransitionTime = timestamp(cluster.now());
  const stored = (spec.versions as Json[]).find((v) => v.storage)?.name;
  const status = {
    acceptedNames: spec.names,
    storedVersions: [stored],
    conditions: [
      {
        type: 'NamesAccepted',
        status: 'True',
        reason: 'NoConflicts',
        message: 'no conflicts found',
        lastTransitionTime,
      },
      {
        type: 'Established',
        status: 'True',
        reason: 'InitialNamesAccepted',
        message: 'the initial names have been accepted',
        lastTransitionTime,
      },
    ],
  };
  // After the write that is being told about: watchers must see that one first.
  queueMicrotask(() => {
    const now = cluster.find(collection, undefined, definition.metadata.name);
    if (now?.metadata.uid !== definition.metadata.uid || now.metadata.deletionTimestamp) return;
    cluster.store.write(collection, 'MODIFIED', { ...now, status }, now);
  });
}

/** Deletes all objects of a definition that is to go, then the definition. */
function end(cluster: Cluster, definition: KubeObject): void {
  queueMicrotask(() => {
    const now = cluster.find(collection, undefined, definition.metadata.name);
    if (!now?.metadata.deletionTimestamp || !now.metadata.finalizers?.includes(finalizer)) return;
    const { spec } = now as Json;
    const objects = cluster.store.collection(`${spec.group}/${spec.names.plural}`);
    const resource = cluster.registry.all().find((r) => r.storage === `${spec.group}/${spec.names.plural}`);
    for (const { metadata } of resource ? objects.list() : []) {
      if (!metadata.deletionTimestamp)
        deleteObject(cluster, resource as Resource, metadata.namespace, metadata.name, {});
    }
    const current = cluster.find(collection, undefined, now.metadata.name);
    if (objects.size > 0 || !current) return;
    const finalizers = (current.metadata.finalizers ?? []).filter((f) => f !== finalizer);
    const next = { ...current, metadata: { ...current.metadata, finalizers } };
    if (finalizers.length === 0) remove(cluster, resourceOf(cluster), next);
    else cluster.store.write(collection, 'MODIFIED', next, current);
  });
}

export { finalizer as cleanupFinalizer };
