import { type ApiError, conflict, notFound } from '../http/status.ts';
import { type Json, type KubeObject, timestamp } from '../json.ts';
import type { Resource } from '../registry.ts';
import { keyOf } from '../store/collection.ts';
import type { Cluster } from './cluster.ts';
import { remove } from './write.ts';

/** metav1.DeleteOptions, as far as they are honoured. */
export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  orphanDependents?: boolean;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: boolean;
}

/** `done`: gone now; else marked for deletion and waiting for its finalizers or its grace period. */
export interface Deletion {
  done: boolean;
  object: KubeObject;
}

/** Finalizers that a propagation policy puts on the object; the garbage collector takes them off. */
function finalizersFor(object: KubeObject, options: DeleteOptions): string[] {
  const kept = (object.metadata.finalizers ?? []).filter((f) => f !== 'orphan' && f !== 'foregroundDeletion');
  const policy = options.propagationPolicy ?? (options.orphanDependents ? 'Orphan' : undefined);
  if (policy === 'Orphan') return [...kept, 'orphan'];
  if (policy === 'Foreground') return [...kept, 'foregroundDeletion'];
  return policy ? kept : (object.metadata.finalizers ?? []);
}

export function deleteObject(
  cluster: Cluster,
  resource: Resource,
  namespace: string | undefined,
  name: string,
  options: DeleteOptions,
): Deletion {
  const key = keyOf(resource.namespaced ? namespace : undefined, name);
  const current = cluster.store.collection(resource.storage).get(key);
  if (!current) throw notFound(resource, name);
  const { uid, resourceVersion } = options.preconditions ?? {};
  const mismatch = (what: string, asked: string, recorded: string): ApiError =>
    conflict(
      { ...resource, plural: resource.kind, group: '' },
      name,
      `the ${what} in the precondition (${asked}) does not match the ${what} in record (${recorded}). The object might have been ${what === 'UID' ? 'deleted and then recreated' : 'modified'}`,
    );
  if (uid && uid !== current.metadata.uid) throw mismatch('UID', uid, current.metadata.uid);
  if (resourceVersion && resourceVersion !== current.metadata.resourceVersion) {
    throw mismatch('ResourceVersion', resourceVersion, current.metadata.resourceVersion);
  }
  resource.strategy.beforeDelete?.(current);

  const grace = resource.strategy.gracePeriod?.(current, options.gracePeriodSeconds) ?? 0;
  const finalizers = finalizersFor(current, options);
  const pending = current.metadata.deletionTimestamp !== undefined;
  // A namespace ends when its content has; spec.finalizers, not metadata's, say so.
  const waits = finalizers.length > 0 || grace > 0 || (current['spec']?.finalizers?.length ?? 0) > 0;
  const metadata: Json = { ...current.metadata, finalizers };
  if (finalizers.length === 0) delete metadata.finalizers;
  if (!pending) {
    metadata.deletionTimestamp = timestamp(new Date(cluster.now().getTime() + grace * 1000));
    metadata.deletionGracePeriodSeconds = grace;
    if (metadata.generation) metadata.generation++;
  } else if (grace < (current.metadata.deletionGracePeriodSeconds ?? 0)) {
    metadata.deletionTimestamp = timestamp(new Date(cluster.now().getTime() + grace * 1000));
    metadata.deletionGracePeriodSeconds = grace;
  }
  const next: KubeObject = { ...current, metadata };
  if (current['kind'] === 'Namespace') next['status'] = { ...current['status'], phase: 'Terminating' };
  const done = !waits;
  if (options.dryRun) return { done, object: done ? current : next };
  if (done) return { done, object: remove(cluster, resource, pending ? next : current) };
  if (pending && JSON.stringify(metadata) === JSON.stringify(current.metadata)) return { done, object: current };
  return { done, object: cluster.store.write(resource.storage, 'MODIFIED', next, current) };
}
