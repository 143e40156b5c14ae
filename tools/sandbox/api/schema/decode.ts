import { type Json, type JsonObject, isObject } from '../json.ts';
import { type Schema, field, objectMeta, resolve } from './schema.ts';

/** What decoding found: unknown fields by path, and the first value of a wrong type in Go's words. */
export interface Decoded {
  value: Json;
  unknown: string[];
  mistyped?: string;
}

/**
 * Reads a value as a Go struct of this schema would: unknown fields are dropped (and named), nulls are as good as
 * absent, a wrong type is an error. `kind.custom`: a structural schema of a CRD, where dropping is pruning and types are
 * the validation's business.
 */
export function decode(value: Json, schema: Schema, kind: { name: string; custom: boolean }): Decoded {
  const found: Decoded = { value: undefined, unknown: [] };
  found.value = walk(value, schema, { path: '', goPath: '', struct: kind.name, custom: kind.custom }, found);
  return found;
}

/** Where a value is: its path, and the Go struct that holds it, which the real server's messages name. */
interface Place {
  path: string;
  /** As Go's json reports it: without indexes, and the map's own path for a map's values. */
  goPath: string;
  struct: string;
  custom: boolean;
}

const lastName = (reference: string): string => reference.slice(reference.lastIndexOf('.') + 1);

/** A schema's Go type, by its name where it has one: `v1.PodSpec`, `[]v1.Container`, `int32`. */
function goType(schema: Schema): string {
  const target = resolve(schema);
  if (schema.$ref && target.type === 'object') return `v1.${lastName(schema.$ref)}`;
  if (target.type === 'integer') return target.format === 'int64' ? 'int64' : 'int32';
  if (target.type === 'boolean') return 'bool';
  if (target.type === 'number') return 'float64';
  if (target.type === 'array') return `[]${goType(target.items ?? {})}`;
  if (target.type !== 'object') return 'string';
  const rest = target.additionalProperties;
  return `map[string]${typeof rest === 'object' ? goType(rest) : 'string'}`;
}

const kindOf = (value: Json): string => {
  if (Array.isArray(value)) return 'array';
  if (isObject(value)) return 'object';
  return typeof value === 'boolean' ? 'bool' : typeof value;
};

function fits(value: Json, schema: Schema): boolean {
  switch (schema.type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    case 'string':
      return typeof value === 'string';
    default:
      return true;
  }
}

/** What Go reads a null list item as; a custom resource keeps its null, for the validation to refuse. */
function zero(items: Schema, { custom }: Place): Json {
  if (custom) return null;
  const { type } = resolve(items);
  if (type === 'object') return {};
  if (type === 'array') return [];
  return type === 'integer' || type === 'number' ? 0 : type === 'boolean' ? false : '';
}

function walk(value: Json, raw: Schema, at: Place, found: Decoded): Json {
  const schema = resolve(raw);
  if (value === undefined) return undefined;
  // A null where none is allowed is dropped: then a default applies, or it is missing.
  if (value === null) return at.custom && schema.nullable ? null : undefined;
  if (!at.custom && !fits(value, schema)) {
    found.mistyped ??= `json: cannot unmarshal ${kindOf(value)} into Go struct field ${at.struct}.${at.goPath} of type ${goType(raw)}`;
    return value;
  }
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return value;
    return value.map((item, i) => walk(item, items, { ...at, path: `${at.path}[${i}]` }, found) ?? zero(items, at));
  }
  if (isObject(value)) {
    return walkObject(value, schema, raw.$ref ? { ...at, struct: lastName(raw.$ref) } : at, found);
  }
  if (schema.format === 'byte' && !at.custom) {
    const bad = /[^A-Za-z0-9+/=]/.exec(value);
    if (bad) found.mistyped ??= `illegal base64 data at input byte ${bad.index}`;
  }
  return value;
}

function walkObject(value: JsonObject, schema: Schema, at: Place, found: Decoded): JsonObject {
  // Built-in free-form values (FieldsV1, raw JSON) have neither properties nor additionalProperties.
  const free = at.custom
    ? schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true
    : !schema.properties && !schema.additionalProperties;
  const embedded = schema['x-kubernetes-embedded-resource'] === true;
  const out: JsonObject = {};
  for (const [key, inner] of Object.entries(value)) {
    const path = at.path ? `${at.path}.${key}` : key;
    const known = field(schema, key);
    if (known) {
      const goPath = schema.properties ? (at.goPath ? `${at.goPath}.${key}` : key) : at.goPath;
      // A custom object's metadata is as strict as a built-in one's.
      const place =
        known === objectMeta ? { path, goPath: '', struct: 'ObjectMeta', custom: false } : { ...at, path, goPath };
      const kept = walk(inner, known, place, found);
      if (kept !== undefined) out[key] = kept;
    } else if (embedded && (key === 'apiVersion' || key === 'kind')) out[key] = inner;
    else if (embedded && key === 'metadata') {
      out[key] = walk(inner, objectMeta, { path, goPath: '', struct: 'ObjectMeta', custom: false }, found);
    } else if (free) out[key] = inner;
    else found.unknown.push(path);
  }
  return out;
}

/** Fills in the defaults of a structural schema, in a copy. A null where null is not allowed takes the default too. */
export function applyDefaults(value: Json, schema: Schema): Json {
  if (isObject(value)) {
    let out = value;
    const set = (key: string, inner: Json): void => {
      if (out[key] === inner) return;
      if (out === value) out = { ...value };
      if (inner === undefined) delete out[key];
      else out[key] = inner;
    };
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      const inner = resolve(property);
      let current = value[key];
      if (current === null && !inner.nullable && inner.default !== undefined) current = undefined;
      if (current === undefined && inner.default !== undefined) current = structuredClone(inner.default);
      if (current !== undefined) set(key, applyDefaults(current, inner));
    }
    if (typeof schema.additionalProperties === 'object') {
      const rest = resolve(schema.additionalProperties);
      for (const key of Object.keys(value)) if (!schema.properties?.[key]) set(key, applyDefaults(value[key], rest));
    }
    return out;
  }
  if (Array.isArray(value) && schema.items) {
    const items = resolve(schema.items);
    return value.map((item) => applyDefaults(item, items));
  }
  return value;
}
