import { type Json, type KubeObject, isObject } from '../json.ts';
import type { Schema } from '../schema/schema.ts';
import type { FieldSet } from './set.ts';
import { compare, ownedBy } from './walk.ts';

const annotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** The field manager of `kubectl apply --server-side`, and only of it: another name opts out of all this. */
export const kubectlManager = 'kubectl';

const recorded = (object: KubeObject | undefined): string | undefined =>
  object?.metadata.annotations?.[annotation] || undefined;

/**
 * The fields that `kubectl apply` wrote and nobody changed since, by its own record in an annotation. A server-side apply
 * by kubectl takes them over without a conflict (apimachinery's lastAppliedManager). Undefined without such a record.
 */
export function fieldsOfClientSideApply(live: KubeObject | undefined, schema: Schema): FieldSet | undefined {
  const text = recorded(live);
  if (live === undefined || text === undefined) return undefined;
  let last: Json;
  try {
    last = JSON.parse(text);
  } catch {
    return undefined; // anybody may write an annotation; one that is no JSON records nothing
  }
  if (!isObject(last) || last['apiVersion'] !== live.apiVersion) return undefined;
  const { added, modified, removed } = compare(last, live, schema);
  return ownedBy(last, schema).difference(modified).difference(added).difference(removed);
}

/** Keeps kubectl's record, where there is one, in step with what it applied on the server (lastAppliedUpdater). */
export function withRecord(object: KubeObject, config: KubeObject, namespace: string | undefined): KubeObject {
  if (recorded(object) === undefined) return object;
  const { annotations = {}, ...metadata } = config.metadata;
  const { [annotation]: _, ...others } = annotations;
  const applied = {
    ...config,
    metadata: {
      ...metadata,
      ...(namespace === undefined ? {} : { namespace }),
      ...(Object.keys(others).length > 0 ? { annotations: others } : {}),
    },
  };
  const text = `${JSON.stringify(sorted(applied))}\n`;
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [annotation]: text } },
  };
}

/** With keys in the order in which Go writes a map. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}
