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
 * absent, a wrong type is an error. `custom`: a structural schema of a CRD, where dropping is pruning and types are
 * the validation's business.
 */
export function decode(value: Json, schema: Schema, custom: boolean): Decoded {
  const found: Decoded = { value: undefined, unknown: [] };
  found.value = walk(value, resolve(schema), '', custom, found);
  return found;
}

const goType = (schema: Schema): string => {
  if (schema.type === 'integer') return schema.format === 'int64' ? 'int64' : 'int32';
  if (schema.type === 'boolean') return 'bool';
  if (schema.type === 'number') return 'float64';
  if (schema.type === 'array') return `[]${goType(resolve(schema.items))}`;
  if (schema.type === 'object') return schema.properties ? 'struct' : 'map[string]string';
  return 'string';
};

const kindOf = (value: Json): string => {
  if (Array.isArray(value)) return 'array';
  if (isObject(value)) return 'object';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'number' ? 'number' : 'string';
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

function walk(value: Json, schema: Schema, path: string, custom: boolean, found: Decoded): Json {
  if (value === undefined) return undefined;
  // A null where none is allowed is dropped: then a default applies, or it is missing.
  if (value === null) return custom && schema.nullable ? null : undefined;
  if (!custom && !fits(value, schema)) {
    found.mistyped ??= `json: cannot unmarshal ${kindOf(value)} into Go struct field ${path} of type ${goType(schema)}`;
    return value;
  }
  if (Array.isArray(value)) {
    const items = resolve(schema.items);
    if (!schema.items) return value;
    return value.map((item, i) => walk(item, items, `${path}[${i}]`, custom, found));
  }
  if (!isObject(value)) return value;
  return walkObject(value, schema, path, custom, found);
}

function walkObject(value: JsonObject, schema: Schema, path: string, custom: boolean, found: Decoded): JsonObject {
  // Built-in free-form values (FieldsV1, raw JSON) have neither properties nor additionalProperties.
  const free = custom
    ? schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true
    : !schema.properties && !schema.additionalProperties;
  const embedded = schema['x-kubernetes-embedded-resource'] === true;
  const out: JsonObject = {};
  for (const [key, inner] of Object.entries(value)) {
    const at = path ? `${path}.${key}` : key;
    const known = field(schema, key);
    if (known) {
      // A custom object's metadata is as strict as a built-in one's.
      const kept = walk(inner, resolve(known), at, custom && known !== objectMeta, found);
      if (kept !== undefined) out[key] = kept;
    } else if (embedded && (key === 'apiVersion' || key === 'kind')) out[key] = inner;
    else if (embedded && key === 'metadata') out[key] = walk(inner, objectMeta, at, false, found);
    else if (free) out[key] = inner;
    else found.unknown.push(at);
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
