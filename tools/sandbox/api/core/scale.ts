import { type Json, type KubeObject, isObject } from '../json.ts';
import type { Resource } from '../registry.ts';
import { schemaOf } from '../schema/schema.ts';
import { badRequest } from '../http/status.ts';
import { patched } from './patch.ts';

const read = (object: Json, path: string): Json =>
  path
    .split('.')
    .filter(Boolean)
    .reduce((node: Json, key) => node?.[key], object);

function write(object: Json, path: string, value: Json): Json {
  const [key, ...rest] = path.split('.').filter(Boolean);
  if (key === undefined) return value;
  return { ...object, [key]: write(isObject(object?.[key]) ? object[key] : {}, rest.join('.'), value) };
}

const selectorText = (selector: Json): string =>
  typeof selector === 'string'
    ? selector
    : Object.entries(selector?.matchLabels ?? {})
        .map(([key, value]) => `${key}=${String(value)}`)
        .sort()
        .join(',');

/** The autoscaling/v1 Scale of an object. */
export function scaleOf(resource: Resource, object: KubeObject): Json {
  const paths = resource.scale as NonNullable<Resource['scale']>;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = paths.selectorPath ? selectorText(read(object, paths.selectorPath)) : '';
  const replicas = read(object, paths.specPath);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: replicas === undefined ? {} : { replicas },
    status: { replicas: read(object, paths.statusPath) ?? 0, ...(selector ? { selector } : {}) },
  };
}

/** `object` with the replicas (and the optimistic lock) of a Scale. */
export function withScale(resource: Resource, object: KubeObject, scale: Json): Json {
  const replicas = scale?.spec?.replicas ?? 0;
  if (!Number.isInteger(replicas))
    throw badRequest(
      `Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal ${typeof replicas} into Go struct field ScaleSpec.spec.replicas of type int32`,
    );
  const out = write(object, (resource.scale as NonNullable<Resource['scale']>).specPath, replicas);
  return { ...out, metadata: { ...out.metadata, resourceVersion: scale.metadata?.resourceVersion } };
}

/** The object's Scale after a patch of it. */
export function patchedScale(resource: Resource, object: KubeObject, patch: Json, type: string): Json {
  const scale = scaleOf(resource, object);
  const sameLock = { ...scale, metadata: { ...scale.metadata, resourceVersion: undefined } };
  return patched({ ...resource, schema: schemaOf('autoscaling', 'v1', 'Scale'), custom: false }, sameLock, patch, type);
}
