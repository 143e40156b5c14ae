import {
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  invalid,
  modified,
  notFound,
  unprocessable,
  unreasoned,
} from '../http/status.ts';
import { type Json, type KubeObject, clone, equal, isObject, timestamp } from '../json.ts';
import { metadataErrors } from '../kinds/names.ts';
import { sentManagers, trackUpdate } from '../fields/managers.ts';
import { type Resource, apiVersionOf, storedSchema } from '../registry.ts';
import { decode } from '../schema/decode.ts';
import { keyOf } from '../store/collection.ts';
import { newUid } from '../store/store.ts';
import type { Cluster } from './cluster.ts';

export interface WriteOptions {
  /** Field manager: `fieldManager`, else the client's name from its User-Agent. */
  manager: string;
  dryRun?: boolean;
  fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
  /** Collects warnings for the client. */
  warn?: (text: string) => void;
  subresource?: string;
}

/** The fields a write through this subresource cannot change: they stay whoever's they are. */
export function resetFields(resource: Resource, subresource: string | undefined): string[][] {
  if (subresource === 'status') return resource.custom ? [['f:spec'], ['f:metadata']] : [['f:spec']];
  return resource.status ? [['f:status']] : [];
}

/** Checks what was sent against the schema: unknown fields are dropped, warned about or refused as asked. */
export function admitBody(resource: Resource, body: Json, options: WriteOptions): KubeObject {
  const found = decode(body, resource.schema, { name: resource.kind, custom: resource.custom === true });
  const cannot = `${resource.kind} in version ${JSON.stringify(resource.version)} cannot be handled as a ${resource.kind}: `;
  if (found.mistyped) throw badRequest(cannot + found.mistyped);
  const texts = found.unknown.map((path) => `unknown field ${JSON.stringify(path)}`);
  if (texts.length > 0 && options.fieldValidation === 'Strict') {
    throw badRequest(`${cannot}strict decoding error: ${texts.join(', ')}`);
  }
  if (options.fieldValidation !== 'Ignore') for (const text of texts) options.warn?.(text);
  return found.value as KubeObject;
}

/** Refuses a body that says it is something else than the URL does. */
export function checkType(resource: Resource, body: Json): void {
  if (!isObject(body))
    throw badRequest(
      `the object provided is unrecognized (must be of type ${resource.kind}): couldn't get version/kind`,
    );
  const expected = apiVersionOf(resource);
  if (body?.apiVersion && body.apiVersion !== expected) {
    throw badRequest(
      `the API version in the data (${body.apiVersion}) does not match the expected API version (${expected})`,
    );
  }
  if (body?.kind && body.kind !== resource.kind) {
    if (resource.custom) {
      const fault = invalid('kind', body.kind, `must be ${resource.kind}`);
      throw unprocessable({ ...resource, kind: body.kind }, body.metadata?.name ?? '', [fault]);
    }
    throw badRequest(
      `${body.kind} in version ${JSON.stringify(resource.version)} cannot be handled as a ${resource.kind}: converting (${body.kind}) to (${resource.kind}): unknown conversion`,
    );
  }
}

const letters = 'bcdfghjklmnpqrstvwxz2456789';
const suffix = (): string =>
  Array.from({ length: 5 }, () => letters[Math.floor(Math.random() * letters.length)]).join('');

function checkNamespace(cluster: Cluster, resource: Resource, object: KubeObject): void {
  const name = object.metadata.namespace;
  if (!resource.namespaced || !name) return;
  const namespace = cluster.find('/namespaces', undefined, name);
  if (!namespace) throw notFound({ group: '', plural: 'namespaces', kind: 'Namespace' }, name);
  if (namespace.metadata.deletionTimestamp) {
    const why = `unable to create new content in namespace ${name} because it is being terminated`;
    throw forbidden(resource, object.metadata.name, why, [
      // As the real server's cause, which clients test for to stop retrying.
      {
        reason: 'NamespaceTerminating' as never,
        message: `namespace ${name} is being terminated`,
        field: 'metadata.namespace',
      },
    ]);
  }
}

/** Faults of a view are told in the terms of what is stored. */
const named = (r: Resource): Resource => (r.storedSchema ? { ...r, group: '' } : r);
const stored = (r: Resource, object: KubeObject): KubeObject => (r.view ? r.view.toStored(object) : object);
const shown = (r: Resource, object: KubeObject): KubeObject => (r.view ? r.view.fromStored(object) : object);

/** Creates `body` in `namespace`. `settle` finishes managedFields where the writer applies rather than creates. */
export function create(
  cluster: Cluster,
  resource: Resource,
  namespace: string | undefined,
  body: Json,
  options: WriteOptions,
  settle?: (result: KubeObject) => KubeObject,
): KubeObject {
  checkType(resource, body);
  const decoded = admitBody(resource, body, options);
  const metadata = { ...decoded.metadata };
  if (resource.namespaced) {
    if (metadata.namespace && metadata.namespace !== namespace) {
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    }
    metadata.namespace = namespace as string;
  } else delete metadata.namespace;
  if (metadata.resourceVersion) throw unreasoned('resourceVersion should not be set on objects to be created');
  if (!metadata.name && metadata.generateName) metadata.name = metadata.generateName.slice(0, 58) + suffix();
  for (const key of [
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'managedFields',
    'generation',
    'selfLink',
  ] as const) {
    delete (metadata as Record<string, unknown>)[key];
  }
  metadata.uid = newUid();
  metadata.creationTimestamp = timestamp(cluster.now());
  const { strategy } = resource;
  if (strategy.generation) metadata.generation = 1;

  // The clone gives strategies a draft of their own.
  let draft = stored(
    resource,
    clone({ ...decoded, apiVersion: apiVersionOf(resource), kind: resource.kind, metadata }),
  );
  if (resource.status) delete draft['status'];
  strategy.defaults?.(draft);
  strategy.onCreate?.(draft, cluster.context());
  checkNamespace(cluster, resource, draft);
  const name = draft.metadata.name;
  const errors = [
    ...metadataErrors(draft, strategy.name ?? 'subdomain'),
    ...(strategy.validate?.(draft, cluster.context()) ?? []),
  ];
  if (errors.length > 0) throw unprocessable(named(resource), name ?? '', errors);
  if (cluster.store.collection(resource.storage).get(keyOf(draft.metadata.namespace, name))) {
    throw alreadyExists(resource, name);
  }
  for (const text of strategy.warnings?.(draft) ?? []) options.warn?.(text);
  draft = finish(cluster, resource, undefined, draft, options, settle);
  if (options.dryRun) return shown(resource, draft);
  return shown(resource, cluster.store.write(resource.storage, 'ADDED', draft, undefined));
}

function finish(
  cluster: Cluster,
  resource: Resource,
  old: KubeObject | undefined,
  draft: KubeObject,
  options: WriteOptions,
  settle?: (result: KubeObject) => KubeObject,
): KubeObject {
  if (settle) return settle(draft);
  const writer = { manager: options.manager, subresource: options.subresource, now: timestamp(cluster.now()) };
  return trackUpdate(old, draft, storedSchema(resource), writer, resetFields(resource, options.subresource));
}

/** What of `next` a write through `subresource` takes effect on `old`. */
function scoped(resource: Resource, old: KubeObject, next: KubeObject, subresource: string | undefined): KubeObject {
  if (subresource === 'status') {
    const { labels, annotations } = next.metadata;
    // kubelet writes annotations of pods and nodes through status; elsewhere metadata stays as it is.
    const metadata = ['Pod', 'Node'].includes(resource.kind) ? { ...old.metadata, labels, annotations } : old.metadata;
    return { ...old, status: next['status'], metadata };
  }
  if (!resource.status) return next;
  const { status: _, ...rest } = next;
  return old['status'] === undefined ? rest : { ...rest, status: old['status'] };
}

/**
 * Replaces the object `name` by `change(current)`, under the optimistic lock of the resourceVersion that the result
 * carries (if any). Returns the object as it is now; an update that changes nothing writes nothing.
 */
export function update(
  cluster: Cluster,
  resource: Resource,
  namespace: string | undefined,
  name: string,
  change: (current: KubeObject) => Json,
  options: WriteOptions & { settle?: (result: KubeObject) => KubeObject; replace?: boolean },
): KubeObject {
  const key = keyOf(resource.namespaced ? namespace : undefined, name);
  const current = cluster.store.collection(resource.storage).get(key);
  if (!current) throw notFound(resource, name);
  const body = change(shown(resource, current));
  checkType(resource, body);
  const sent = admitBody(resource, body, options);
  if (!sent.metadata) throw badRequest(`${resource.kind} has no metadata`);
  const { resourceVersion, uid, name: sentName, namespace: sentNamespace } = sent.metadata;
  if (sentName && sentName !== name) {
    throw badRequest(`the name of the object (${sentName}) does not match the name on the URL (${name})`);
  }
  if (sentNamespace && resource.namespaced && sentNamespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (!resourceVersion && options.replace && !resource.strategy.unconditionalUpdate) {
    throw unprocessable({ ...resource, kind: resource.plural }, name, [
      invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]);
  }
  if (uid && uid !== current.metadata.uid) {
    throw conflict(
      resource,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`,
    );
  }
  if (resourceVersion && resourceVersion !== current.metadata.resourceVersion) throw conflict(resource, name, modified);
  return commit(cluster, resource, current, sent, options);
}

function commit(
  cluster: Cluster,
  resource: Resource,
  current: KubeObject,
  sent: KubeObject,
  options: WriteOptions & { settle?: (result: KubeObject) => KubeObject },
): KubeObject {
  const { strategy } = resource;
  const subresource = options.subresource ?? '';
  const identity = {
    name: current.metadata.name,
    ...(current.metadata.namespace ? { namespace: current.metadata.namespace } : {}),
    uid: current.metadata.uid,
    resourceVersion: current.metadata.resourceVersion,
    creationTimestamp: current.metadata.creationTimestamp,
    generation: current.metadata.generation,
    deletionTimestamp: current.metadata.deletionTimestamp,
    deletionGracePeriodSeconds: current.metadata.deletionGracePeriodSeconds,
    // Through a subresource nobody hands fields over.
    managedFields: subresource ? current.metadata.managedFields : sentManagers(sent, current),
  };
  const next = stored(resource, { ...sent, apiVersion: apiVersionOf(resource), kind: resource.kind });
  const merged = scoped(resource, current, { ...next, metadata: { ...next.metadata, ...identity } }, subresource);
  const draft = clone(merged);
  if (!subresource) strategy.onUpdate?.(draft, current);
  strategy.defaults?.(draft);
  const errors = [
    ...metadataErrors(draft, strategy.name ?? 'subdomain'),
    ...finalizerErrors(current, draft),
    ...(strategy.validate?.(draft, cluster.context(current)) ?? []),
    ...(strategy.validateUpdate?.(draft, current, subresource) ?? []),
  ];
  if (errors.length > 0) throw unprocessable(named(resource), current.metadata.name, errors);
  if (strategy.generation && !equal(strategy.generation(draft), strategy.generation(current))) {
    draft.metadata.generation = (current.metadata.generation ?? 0) + 1;
  }
  for (const text of strategy.warnings?.(draft) ?? []) options.warn?.(text);
  const result = finish(cluster, resource, current, draft, options, options.settle);
  if (sameBut(result, current)) return shown(resource, current);
  if (options.dryRun) return shown(resource, result);
  if (isGone(result)) return shown(resource, remove(cluster, resource, result));
  return shown(resource, cluster.store.write(resource.storage, 'MODIFIED', result, current));
}

/** A deletion that has begun takes no new finalizers. */
function finalizerErrors(
  old: KubeObject,
  next: KubeObject,
): { reason: 'FieldValueForbidden'; field: string; message: string }[] {
  if (!old.metadata.deletionTimestamp) return [];
  const added = (next.metadata.finalizers ?? []).filter((f) => !old.metadata.finalizers?.includes(f));
  if (added.length === 0) return [];
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((f) => JSON.stringify(f)).join(', ')}}`;
  return [{ reason: 'FieldValueForbidden', field: 'metadata.finalizers', message }];
}

/** Whether nothing changed but, at most, the times in managedFields. */
function sameBut(a: KubeObject, b: KubeObject): boolean {
  const timeless = (o: KubeObject): Json => ({
    ...o,
    metadata: {
      ...o.metadata,
      managedFields: (o.metadata.managedFields ?? []).map((m) => ({ ...m, time: undefined })),
    },
  });
  return equal(timeless(a), timeless(b));
}

/** A deleted object whose last finalizer has gone, and that nothing has to wait for. */
const isGone = ({ metadata }: KubeObject): boolean =>
  metadata.deletionTimestamp !== undefined && !metadata.finalizers?.length && !metadata.deletionGracePeriodSeconds;

/** Ends an object now. */
export function remove(cluster: Cluster, resource: Resource, object: KubeObject): KubeObject {
  const previous = cluster.find(resource.storage, object.metadata.namespace, object.metadata.name);
  return cluster.store.write(resource.storage, 'DELETED', object, previous);
}
