import { ApiError } from '../http/status.ts';
import { type JsonObject, type KubeObject, type ManagedFieldsEntry, clone, isObject } from '../json.ts';
import { type Schema } from '../schema/schema.ts';
import { FieldSet, shownPath } from './set.ts';
import { compare, merge, ownedBy, removeFields } from './walk.ts';

/** Who writes: the field manager's name, and the subresource it writes through. */
export interface Writer {
  manager: string;
  subresource?: string | undefined;
  now: string;
}

/** Fields that identify the object or belong to the server: nobody owns them. */
const unowned = [
  ['f:apiVersion'],
  ['f:kind'],
  ...(
    'name namespace creationTimestamp selfLink uid generation managedFields resourceVersion deletionTimestamp ' +
    'deletionGracePeriodSeconds'
  )
    .split(' ')
    .map((name) => ['f:metadata', `f:${name}`]),
];

interface Manager {
  entry: ManagedFieldsEntry;
  set: FieldSet;
}

const read = (object: KubeObject | undefined): Manager[] =>
  (object?.metadata.managedFields ?? []).map((entry) => ({ entry, set: FieldSet.parse(entry.fieldsV1) }));

/**
 * The managedFields that an update starts from: those it was sent with, so that clients can hand fields over, unless
 * they say nothing or are none; `[{}]` forgets all (apimachinery's decodeLiveOrNew).
 */
export function sentManagers(sent: KubeObject, live: KubeObject): ManagedFieldsEntry[] | undefined {
  const entries: unknown = sent.metadata.managedFields;
  if (!Array.isArray(entries) || entries.length === 0) return live.metadata.managedFields;
  if (entries.length === 1 && isObject(entries[0]) && Object.keys(entries[0]).length === 0) return [];
  const sound = entries.every(
    (entry: unknown) =>
      isObject(entry) &&
      (entry['operation'] === 'Apply' || entry['operation'] === 'Update') &&
      entry['fieldsType'] === 'FieldsV1' &&
      isObject(entry['fieldsV1']),
  );
  return sound ? (entries as ManagedFieldsEntry[]) : live.metadata.managedFields;
}

const isWriter = (m: Manager, operation: 'Apply' | 'Update', writer: Writer): boolean =>
  m.entry.manager === writer.manager &&
  m.entry.operation === operation &&
  (m.entry.subresource ?? '') === (writer.subresource ?? '');

/** An object's fields without managedFields, which are about the others and never among them. */
const bare = (object: KubeObject | undefined): JsonObject | undefined => {
  if (!object) return undefined;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
};

function written(object: KubeObject, managers: Manager[]): KubeObject {
  const kept = managers.filter(({ set }) => !set.empty);
  // Applied configurations first, then updates, each by time: the order a real API server gives.
  kept.sort(
    (a, b) =>
      a.entry.operation.localeCompare(b.entry.operation) ||
      (a.entry.time ?? '').localeCompare(b.entry.time ?? '') ||
      a.entry.manager.localeCompare(b.entry.manager),
  );
  const managedFields = kept.map(({ entry, set }) => ({ ...entry, fieldsV1: set.toJSON() }));
  const metadata = { ...object.metadata, managedFields };
  if (managedFields.length === 0) delete (metadata as { managedFields?: unknown }).managedFields;
  return { ...object, metadata };
}

function put(
  managers: Manager[],
  operation: 'Apply' | 'Update',
  writer: Writer,
  apiVersion: string,
  set: FieldSet,
): void {
  const mine = managers.find((m) => isWriter(m, operation, writer));
  if (mine) {
    if (!mine.set.equals(set)) mine.entry = { ...mine.entry, apiVersion, time: writer.now };
    mine.set = set;
    return;
  }
  managers.push({
    entry: {
      manager: writer.manager,
      operation,
      apiVersion,
      time: writer.now,
      fieldsType: 'FieldsV1',
      fieldsV1: {},
      ...(writer.subresource ? { subresource: writer.subresource } : {}),
    },
    set,
  });
}

/**
 * The managedFields of `after`, written by an ordinary create, update or patch: what it changed is the writer's now,
 * and nobody else's; whose it was before says `after` too, which may have been sent with other managedFields. `ignore` are prefixes that this way of writing cannot change (status on the main resource).
 */
export function trackUpdate(
  before: KubeObject | undefined,
  after: KubeObject,
  schema: Schema,
  writer: Writer,
  ignore: readonly string[][],
): KubeObject {
  const skipped = [...unowned, ...ignore];
  const difference = compare(bare(before) ?? emptyLike, bare(after), schema);
  const changed = difference.added.union(difference.modified).without(skipped);
  const gone = difference.removed;
  const managers = read(after).map((m) => {
    const mine = isWriter(m, 'Update', writer);
    return { entry: m.entry, set: (mine ? m.set : m.set.difference(changed)).difference(gone) };
  });
  if (!changed.empty) {
    const mine = managers.find((m) => isWriter(m, 'Update', writer));
    put(managers, 'Update', writer, after.apiVersion, mine ? mine.set.union(changed) : changed);
  }
  return written(after, managers);
}

/** What an absent object counts as: metadata, spec and status are there, and owned by nobody as such. */
const emptyLike = { metadata: {} };

export interface Applied {
  object: KubeObject;
}

/**
 * Server-side apply: `config` merged into `live`, and what the writer applied before and no longer does removed,
 * unless someone else owns it too. Throws 409 with a cause per field when others own what it would change, unless
 * `force` or all of them are `free` for the taking. Returns the merged object; `settle` then gives it its managedFields once it is defaulted.
 */
export function apply(
  live: KubeObject | undefined,
  config: KubeObject,
  schema: Schema,
  writer: Writer,
  options: { force: boolean; ignore: readonly string[][]; free?: FieldSet | undefined },
): { object: KubeObject; settle: (result: KubeObject) => KubeObject } {
  const skipped = [...unowned, ...options.ignore];
  const managers = read(live);
  const others = managers.filter((m) => !isWriter(m, 'Apply', writer));
  const mine = ownedBy(config, schema).without(skipped);
  const last = managers.find((m) => isWriter(m, 'Apply', writer))?.set ?? new FieldSet();

  const start = bare(live);
  let object = (start ? merge(start, config, schema) : clone(config)) as KubeObject;
  const kept = others.reduce((all, m) => all.union(m.set), mine);
  const abandoned = last.difference(kept);
  if (start && !abandoned.empty) object = (removeFields(object, schema, abandoned, kept) ?? {}) as KubeObject;

  const difference = compare(start ?? emptyLike, object, schema);
  const changed = difference.added.union(difference.modified).without(skipped);
  const disputed = options.free ? changed.difference(options.free) : changed;
  const conflicts = others.map((m) => ({ m, set: m.set.intersection(disputed) })).filter(({ set }) => !set.empty);
  if (conflicts.length > 0 && !options.force) throw conflictError(conflicts);
  for (const m of others) m.set = m.set.difference(changed).difference(difference.removed);

  return {
    object,
    settle: (result) => {
      put(managers, 'Apply', writer, config.apiVersion, mine);
      return written(result, managers);
    },
  };
}

function conflictError(conflicts: { m: Manager; set: FieldSet }[]): ApiError {
  const causes = conflicts.flatMap(({ m, set }) => {
    const { manager, apiVersion, subresource, operation } = m.entry;
    const through = subresource ? ` with subresource ${JSON.stringify(subresource)}` : '';
    const using = operation === 'Update' ? ` using ${apiVersion}` : '';
    return set.paths().map((path) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${JSON.stringify(manager)}${through}${using}`,
      field: shownPath(path),
    }));
  });
  const plural = causes.length === 1 ? '1 conflict' : `${causes.length} conflicts`;
  const byManager = Map.groupBy(causes, (cause) => cause.message);
  const lines = [...byManager].map(([message, list]) =>
    list.length === 1
      ? `${message}: ${list[0]?.field}`
      : `${message.replace(/^conflict/, 'conflicts')}:\n${list.map((c) => `- ${c.field}`).join('\n')}`,
  );
  return new ApiError(409, 'Conflict', `Apply failed with ${plural}: ${lines.join('\n')}`, { causes });
}
