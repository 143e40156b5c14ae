import { type Json, type JsonObject, type KubeObject } from '../json.ts';
import { age, nameColumn } from '../kinds/columns.ts';
import type { Resource } from '../registry.ts';

/** Objects as a meta.k8s.io/v1 Table, which is what `kubectl get` prints. */
export function asTable(
  resource: Resource,
  objects: readonly KubeObject[],
  stored: readonly KubeObject[],
  metadata: JsonObject,
  options: { now: Date; include: string; header: boolean },
): Json {
  const columns = resource.strategy.columns ?? [nameColumn, age];
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: options.header
      ? columns.map(({ name, type, format = '', priority = 0, description = '' }) => ({
          name,
          type,
          format,
          description,
          priority,
        }))
      : null,
    rows: objects.map((object, i) => ({
      // Columns read the stored shape: the two views of events print alike.
      cells: columns.map((column) => column.value(stored[i] as KubeObject, options.now) ?? null),
      ...(options.include === 'None' ? {} : { object: options.include === 'Object' ? object : partial(object) }),
    })),
  };
}

/** An object's metadata alone. */
export const partial = (object: KubeObject): Json => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: object.metadata,
});
