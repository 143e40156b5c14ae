import { type Json, type JsonObject, equal, isObject } from '../json.ts';
import { type Schema, field, listKind, resolve } from '../schema/schema.ts';
import { FieldSet } from './set.ts';

/** The path element of a list item, or undefined where the list is atomic (or an item lacks its keys). */
export function itemElement(list: Schema, item: Json): string | undefined {
  const kind = listKind(list);
  if (kind.kind === 'set') return `v:${JSON.stringify(item)}`;
  if (kind.kind !== 'map' || !isObject(item)) return undefined;
  const itemSchema = resolve(list.items);
  const keys: JsonObject = {};
  for (const key of [...kind.keys].sort()) {
    const value = item[key] ?? field(itemSchema, key)?.default;
    if (value === undefined) continue;
    keys[key] = value;
  }
  return `k:${JSON.stringify(keys)}`;
}

export const isAssociative = (schema: Schema, value: Json): boolean =>
  Array.isArray(value) && listKind(schema).kind !== 'atomic';

/** Whether a value is walked into field by field, rather than owned as one. */
export const isGranular = (schema: Schema, value: Json): boolean =>
  isObject(value) && schema['x-kubernetes-map-type'] !== 'atomic';

/** The paths an applied configuration owns (structured-merge-diff's ToFieldSet): its leaves, and its list items. */
export function ownedBy(value: Json, schema: Schema): FieldSet {
  const set = new FieldSet();
  if (isGranular(schema, value)) {
    const entries = Object.entries(value as JsonObject).filter(([, inner]) => inner !== undefined);
    if (entries.length === 0) set.member = true;
    for (const [key, inner] of entries) set.children.set(`f:${key}`, ownedBy(inner, resolve(field(schema, key))));
  } else if (isAssociative(schema, value)) {
    if ((value as Json[]).length === 0) set.member = true;
    for (const item of value as Json[]) {
      const child = ownedBy(item, resolve(schema.items));
      child.member = true;
      set.children.set(itemElement(schema, item) as string, child);
    }
  } else set.member = true;
  return set;
}

export interface Difference {
  added: FieldSet;
  modified: FieldSet;
  removed: FieldSet;
}

/** What differs from `before` to `after`, as field sets (structured-merge-diff's Compare). */
export function compare(before: Json, after: Json, schema: Schema): Difference {
  const out = { added: new FieldSet(), modified: new FieldSet(), removed: new FieldSet() };
  compareInto(before, after, schema, out);
  return out;
}

function compareInto(before: Json, after: Json, schema: Schema, out: Difference, always = false): void {
  if (before === after) return;
  const shape = after ?? before;
  if (isGranular(schema, shape) && (before === undefined || after === undefined || isObject(before))) {
    if (before === undefined && (!always || Object.keys(after).length === 0)) out.added.member = true;
    if (after === undefined) out.removed.member = true;
    for (const key of new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])) {
      const inner = field(schema, key);
      // What is always there in Go (a struct, or a list without omitempty) is not owned itself; a map or a pointer is.
      const always =
        (inner?.$ref !== undefined && inner.default !== undefined) ||
        (inner?.type === 'array' && schema.required?.includes(key) === true);
      descend(`f:${key}`, before?.[key], after?.[key], inner, out, { always });
    }
  } else if (isAssociative(schema, shape) && (before === undefined || after === undefined || Array.isArray(before))) {
    if (before === undefined && (!always || after.length === 0)) out.added.member = true;
    if (after === undefined) out.removed.member = true;
    const old = new Map(((before ?? []) as Json[]).map((item) => [itemElement(schema, item) as string, item]));
    const fresh = new Map(((after ?? []) as Json[]).map((item) => [itemElement(schema, item) as string, item]));
    for (const key of new Set([...old.keys(), ...fresh.keys()])) {
      descend(key, old.get(key), fresh.get(key), schema.items, out, { item: true });
    }
  } else if (before === undefined) out.added.member = true;
  else if (after === undefined) out.removed.member = true;
  else if (!equal(before, after)) out.modified.member = true;
}

function descend(
  element: string,
  before: Json,
  after: Json,
  schema: Schema | undefined,
  out: Difference,
  how: { item?: boolean; always?: boolean },
): void {
  if (before === undefined && after === undefined) return;
  const inner = { added: new FieldSet(), modified: new FieldSet(), removed: new FieldSet() };
  compareInto(before, after, resolve(schema), inner, how.always);
  if (how.item && before === undefined) inner.added.member = true;
  for (const kind of ['added', 'modified', 'removed'] as const) {
    if (!inner[kind].empty) out[kind].children.set(element, inner[kind]);
  }
}

/** `applied` merged over `live`: maps field by field, associative lists item by item, everything else replaced. */
export function merge(live: Json, applied: Json, schema: Schema): Json {
  if (isGranular(schema, applied) && isObject(live)) {
    const out: JsonObject = { ...live };
    for (const [key, inner] of Object.entries(applied as JsonObject)) {
      out[key] = merge(live[key], inner, resolve(field(schema, key)));
    }
    return out;
  }
  if (isAssociative(schema, applied) && Array.isArray(live)) {
    const rest = new Map((applied as Json[]).map((item) => [itemElement(schema, item) as string, item]));
    const out: Json[] = live.map((item) => {
      const key = itemElement(schema, item) as string;
      const mine = rest.get(key);
      rest.delete(key);
      return mine === undefined ? item : merge(item, mine, resolve(schema.items));
    });
    return [...out, ...rest.values()];
  }
  return applied;
}

/** `value` without the members of `remove`, except where something below is in `keep`. An emptied map or list goes too. */
export function removeFields(value: Json, schema: Schema, remove: FieldSet, keep: FieldSet | undefined): Json {
  if (remove.member && (!keep || keep.empty)) return undefined;
  if (isGranular(schema, value)) {
    const out: JsonObject = {};
    for (const [key, inner] of Object.entries(value as JsonObject)) {
      const below = remove.children.get(`f:${key}`);
      const kept = below
        ? removeFields(inner, resolve(field(schema, key)), below, keep?.children.get(`f:${key}`))
        : inner;
      if (kept !== undefined) out[key] = kept;
    }
    return Object.keys(out).length === 0 && Object.keys(value).length > 0 ? undefined : out;
  }
  if (isAssociative(schema, value)) {
    const out = (value as Json[])
      .map((item) => {
        const element = itemElement(schema, item) as string;
        const below = remove.children.get(element);
        return below ? removeFields(item, resolve(schema.items), below, keep?.children.get(element)) : item;
      })
      .filter((item) => item !== undefined);
    return out.length === 0 && value.length > 0 ? undefined : out;
  }
  return value;
}

/** The path of the first list item that is there twice under one name; undefined where all are unique. */
export function firstDuplicate(value: Json, schema: Schema, path: string[]): string[] | undefined {
  if (isGranular(schema, value)) {
    for (const [key, inner] of Object.entries(value as JsonObject)) {
      const found = firstDuplicate(inner, resolve(field(schema, key)), [...path, `f:${key}`]);
      if (found) return found;
    }
  } else if (isAssociative(schema, value)) {
    const seen = new Set<string>();
    for (const item of value as Json[]) {
      const element = itemElement(schema, item) as string;
      if (seen.has(element)) return [...path, element];
      seen.add(element);
      const found = firstDuplicate(item, resolve(schema.items), [...path, element]);
      if (found) return found;
    }
  }
  return undefined;
}
