import { goText } from '../go-values.ts';
import { unreasoned } from '../http/status.ts';
import { type Json, type JsonObject, equal, isObject } from '../json.ts';
import { type Schema, field, resolve } from '../schema/schema.ts';

/**
 * Kubernetes' strategic merge patch: as a merge patch, but lists whose patch strategy is `merge` are merged item by
 * item (by their merge key, or as sets), steered by the directives `$patch`, `$retainKeys`, `$setElementOrder/x` and
 * `$deleteFromPrimitiveList/x`.
 */
export function strategicPatch(target: Json, patch: Json, schema: Schema): Json {
  if (!isObject(patch)) return patch;
  if (patch['$patch'] === 'replace') return without(patch, '$patch');
  if (patch['$patch'] === 'delete') return {};
  let out: JsonObject = isObject(target) ? { ...target } : {};
  const retain = patch['$retainKeys'] as string[] | undefined;
  if (retain) out = Object.fromEntries(Object.entries(out).filter(([key]) => retain.includes(key)));
  for (const [key, value] of Object.entries(patch)) {
    if (key === '$patch' || key === '$retainKeys' || key.startsWith('$setElementOrder/')) continue;
    if (key.startsWith('$deleteFromPrimitiveList/')) {
      const name = key.slice('$deleteFromPrimitiveList/'.length);
      if (Array.isArray(out[name]))
        out[name] = out[name].filter((x: Json) => !(value as Json[]).some((y) => equal(x, y)));
      continue;
    }
    const inner = resolve(field(schema, key));
    if (value === null) delete out[key];
    else if (Array.isArray(value) && merges(inner)) out[key] = mergeList(out[key], value, inner);
    else out[key] = strategicPatch(out[key], value, inner);
  }
  for (const [key, order] of Object.entries(patch)) {
    if (!key.startsWith('$setElementOrder/')) continue;
    const name = key.slice('$setElementOrder/'.length);
    if (!Array.isArray(out[name])) continue;
    const live: Json = isObject(target) ? target[name] : undefined;
    out[name] = ordered(out[name], order as Json[], Array.isArray(live) ? live : [], resolve(field(schema, name)));
  }
  return out;
}

const without = (object: JsonObject, key: string): JsonObject => {
  const { [key]: _, ...rest } = object;
  return rest;
};

const merges = (schema: Schema): boolean => (schema['x-kubernetes-patch-strategy'] ?? '').split(',').includes('merge');

function mergeList(target: Json, patch: Json[], schema: Schema): Json[] {
  const live: Json[] = Array.isArray(target) ? target : [];
  const mergeKey = schema['x-kubernetes-patch-merge-key'];
  if (!mergeKey) {
    const all = [...live, ...patch.filter((x) => !live.some((y) => equal(x, y)))];
    return ordered(all, patch, live, schema);
  }
  if (patch.some((item) => isObject(item) && item['$patch'] === 'replace')) {
    return patch.filter((item) => !(isObject(item) && item['$patch'] === 'replace' && Object.keys(item).length === 1));
  }
  let out = [...live];
  for (const item of patch) {
    if (!isObject(item) || item[mergeKey] === undefined) {
      throw unreasoned(`map: ${goText(item)} does not contain declared merge key: ${mergeKey}`);
    }
    const index = out.findIndex((x) => isObject(x) && equal(x[mergeKey], item[mergeKey]));
    if (item['$patch'] === 'delete') out = out.filter((_, i) => i !== index);
    else if (index < 0) out.push(strategicPatch({}, item, resolve(schema.items)));
    else out[index] = strategicPatch(out[index], item, resolve(schema.items));
  }
  return ordered(out, patch, live, schema);
}

/**
 * The items that the patch names, in its order, and the server's own between them: before one of the patch's only
 * where the server had it before that one (apimachinery's mergeSortedSlice).
 */
function ordered(list: Json[], order: Json[], live: Json[], schema: Schema): Json[] {
  const mergeKey = schema['x-kubernetes-patch-merge-key'];
  const keyOf = (item: Json): string => JSON.stringify(mergeKey && isObject(item) ? item[mergeKey] : item);
  const rank = new Map(order.map((item, i) => [keyOf(item), i]));
  const position = new Map(live.map((item, i) => [keyOf(item), i]));
  const at = (ranks: Map<string, number>, item: Json): number => ranks.get(keyOf(item)) ?? -1;
  const named = list.filter((item) => rank.has(keyOf(item))).sort((a, b) => at(rank, a) - at(rank, b));
  const others = list.filter((item) => !rank.has(keyOf(item)));
  const out: Json[] = [];
  for (const item of named) {
    const here = at(position, item);
    const before = others.findIndex((other) => at(position, other) >= here);
    if (here >= 0) out.push(...others.splice(0, before < 0 ? others.length : before));
    out.push(item);
  }
  return [...out, ...others];
}
