import { apply } from '../fields/managers.ts';
import { fieldsOfClientSideApply, kubectlManager, withRecord } from '../fields/last-applied.ts';
import { shownPath } from '../fields/set.ts';
import { typeFaults } from '../fields/typed.ts';
import { firstDuplicate } from '../fields/walk.ts';
import { unsupportedMediaType } from '../http/request.ts';
import {
  type ApiError,
  badOptions,
  badRequest,
  forbiddenField,
  notFound,
  required,
  unreasoned,
} from '../http/status.ts';
import { type Json, type KubeObject, timestamp } from '../json.ts';
import { jsonPatch } from '../patch/json-patch.ts';
import { mergePatch } from '../patch/merge-patch.ts';
import { strategicPatch } from '../patch/strategic.ts';
import { type Resource, storedSchema } from '../registry.ts';
import { keyOf } from '../store/collection.ts';
import type { Cluster } from './cluster.ts';
import { type WriteOptions, admitBody, checkType, create, resetFields, update } from './write.ts';

export const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

/** `target` patched in the way that the content type names. Not for apply, which needs the owners of fields. */
export function patched(resource: Resource, target: Json, patch: Json, type: string): Json {
  if (type === 'application/json-patch+json') return jsonPatch(target, patch);
  if (type === 'application/merge-patch+json') return mergePatch(target, patch);
  if (type === 'application/strategic-merge-patch+json' && !resource.custom) {
    return strategicPatch(target, patch, resource.schema);
  }
  throw unsupportedMediaType(type, resource.custom ? patchTypes.filter((t) => !t.includes('strategic')) : patchTypes);
}

export interface PatchRequest {
  namespace: string | undefined;
  name: string;
  patch: Json;
  type: string;
  force: boolean;
}

/** Patches or applies; `created` says that an apply made the object. */
export function patchObject(
  cluster: Cluster,
  resource: Resource,
  request: PatchRequest,
  options: WriteOptions & { managerGiven: boolean },
): { object: KubeObject; created: boolean } {
  const { namespace, name, patch, type } = request;
  if (type === 'application/apply-patch+yaml') return applyObject(cluster, resource, request, options);
  if (request.force) {
    throw badOptions('PatchOptions', [forbiddenField('force', 'may not be specified for non-apply patch')]);
  }
  const change = (current: KubeObject): Json => patched(resource, current, patch, type);
  return { object: update(cluster, resource, namespace, name, change, options), created: false };
}

function applyObject(
  cluster: Cluster,
  resource: Resource,
  { namespace, name, patch, force }: PatchRequest,
  options: WriteOptions & { managerGiven: boolean },
): { object: KubeObject; created: boolean } {
  if (!options.managerGiven) {
    throw badOptions('PatchOptions', [required('fieldManager', 'is required for apply patch')]);
  }
  if (!patch?.apiVersion || !patch?.kind) {
    throw badRequest(`invalid object type: ${patch?.apiVersion ?? ''}/, Kind=${patch?.kind ?? ''}`);
  }
  checkType(resource, patch);
  const sentName = patch.metadata?.name;
  if (sentName && sentName !== name) {
    throw badRequest(`the name of the object (${sentName}) does not match the name on the URL (${name})`);
  }
  if (patch.metadata?.managedFields?.length) throw badRequest('metadata.managedFields must be nil');
  const view = resource.view;
  const config = admitApplied(resource, patch, { ...patch, metadata: { ...patch.metadata, name } }, options);
  const stored = view ? view.toStored(config) : config;
  const schema = storedSchema(resource);
  const key = keyOf(resource.namespaced ? namespace : undefined, name);
  const live = cluster.store.collection(resource.storage).get(key);
  if (!live && options.subresource) throw notFound(resource, name);
  const writer = { manager: options.manager, subresource: options.subresource, now: timestamp(cluster.now()) };
  const { resourceVersion, uid } = config.metadata;
  if (!live && resourceVersion) throw notFound(resource, name);
  const merged = apply(live, withoutServerFields(stored), schema, writer, {
    force,
    ignore: resetFields(resource, options.subresource),
    free: options.manager === kubectlManager ? fieldsOfClientSideApply(live, schema) : undefined,
  });
  if (!live && !sentName) {
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  }
  if (!live) return { object: create(cluster, resource, namespace, patch, options, merged.settle), created: true };
  const change = (): Json => {
    const kept =
      options.manager === kubectlManager ? withRecord(merged.object, config, live.metadata.namespace) : merged.object;
    const object = view ? view.fromStored(kept) : kept;
    // The optimistic lock counts only where the applied configuration asks for it.
    return { ...object, metadata: { ...object.metadata, resourceVersion, uid } };
  };
  return {
    object: update(cluster, resource, namespace, name, change, {
      ...options,
      fieldValidation: 'Ignore',
      settle: merged.settle,
    }),
    created: false,
  };
}

/**
 * An applied configuration as read. What cannot be owned (a field that the schema does not have, a value of another
 * type, an item named twice) the real server gives up on with a 500, and so do we.
 */
function admitApplied(resource: Resource, sent: Json, patch: Json, options: WriteOptions): KubeObject {
  const cannot = (why: string): ApiError =>
    unreasoned(
      `failed to create typed patch object (${patch.metadata.namespace ?? ''}/${sent.metadata?.name ?? ''}; ${patch.apiVersion}, Kind=${patch.kind}): ${why}`,
    );
  const faults = typeFaults(patch, resource.schema, resource.custom === true);
  if (faults.length > 0)
    throw cannot(faults.length === 1 ? (faults[0] as string) : `errors:\n  ${faults.join('\n  ')}`);
  const config = admitBody(resource, patch, options);
  const twice = firstDuplicate(config, storedSchema(resource), []);
  if (twice) throw cannot(`${shownPath(twice.slice(0, -1))}: duplicate entries for key ${shownPath(twice.slice(-1))}`);
  return config;
}

function withoutServerFields(object: KubeObject): KubeObject {
  const { resourceVersion: _, uid: __, creationTimestamp: ___, managedFields: ____, ...metadata } = object.metadata;
  return { ...object, metadata: metadata as KubeObject['metadata'] };
}
