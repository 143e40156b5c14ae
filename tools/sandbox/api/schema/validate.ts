import {
  type FieldError,
  duplicate,
  invalid,
  notSupported,
  required,
  shown,
  tooLong,
  typeInvalid,
} from '../http/status.ts';
import { type Json, type JsonObject, equal, isObject } from '../json.ts';
import { formats } from './formats.ts';
import { type Schema, listKind, resolve } from './schema.ts';

/** A JSON value's type as OpenAPI names it. */
const typeOf = (value: Json): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (isObject(value)) return 'object';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
};

const ofType = (value: Json, type: string): boolean => {
  const actual = typeOf(value);
  return actual === type || (type === 'number' && actual === 'integer');
};

const tooMany = (path: string, count: number, most: number): FieldError => ({
  reason: 'FieldValueTooMany',
  field: path,
  message: `Too many: ${count}: must have at most ${most} items`,
});

/**
 * Faults of a value by a structural schema, in the words of the real API server (they come from go-openapi there).
 * `path` is '' for the root.
 */
export function schemaErrors(value: Json, schema: Schema, path: string): FieldError[] {
  if (value === null && schema.nullable) return [];
  const wrong = typeError(value, schema, path);
  if (wrong) return [wrong];
  const errors: FieldError[] = [];
  if (schema.enum && !schema.enum.some((allowed) => equal(allowed, value))) {
    errors.push(notSupported(path, value, schema.enum));
  }
  if (typeof value === 'string') errors.push(...stringErrors(value, schema, path));
  else if (typeof value === 'number') errors.push(...numberErrors(value, schema, path));
  else if (Array.isArray(value)) errors.push(...listErrors(value, schema, path));
  else if (isObject(value)) errors.push(...objectErrors(value, schema, path));
  errors.push(...combinedErrors(value, schema, path));
  return errors;
}

function typeError(value: Json, schema: Schema, path: string): FieldError | undefined {
  const allowed = schema['x-kubernetes-int-or-string'] ? ['integer', 'string'] : schema.type ? [schema.type] : [];
  if (allowed.length === 0 || allowed.some((type) => ofType(value, type))) return undefined;
  const actual = typeOf(value);
  return typeInvalid(path, actual, `${path} in body must be of type ${allowed.join(',')}: ${shown(actual)}`);
}

function stringErrors(value: string, schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { length } = Array.from(value);
  if (schema.maxLength !== undefined && length > schema.maxLength) {
    errors.push(tooLong(path, `may not be more than ${schema.maxLength} bytes`));
  }
  if (schema.minLength !== undefined && length < schema.minLength) {
    errors.push(invalid(path, value, `${path} in body should be at least ${schema.minLength} chars long`));
  }
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value)) {
    errors.push(invalid(path, value, `${path} in body should match '${schema.pattern}'`));
  }
  const check = schema.format ? formats[schema.format] : undefined;
  if (check && !check(value)) {
    errors.push(typeInvalid(path, value, `${path} in body must be of type ${schema.format}: ${shown(value)}`));
  }
  return errors;
}

function numberErrors(value: number, schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { minimum, maximum, multipleOf } = schema;
  const fault = (text: string): void => void errors.push(invalid(path, value, `${path} in body ${text}`));
  if (maximum !== undefined && (schema.exclusiveMaximum ? value >= maximum : value > maximum)) {
    fault(`should be less than ${schema.exclusiveMaximum ? '' : 'or equal to '}${maximum}`);
  }
  if (minimum !== undefined && (schema.exclusiveMinimum ? value <= minimum : value < minimum)) {
    fault(`should be greater than ${schema.exclusiveMinimum ? '' : 'or equal to '}${minimum}`);
  }
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) fault(`should be a multiple of ${multipleOf}`);
  return errors;
}

function listErrors(value: Json[], schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    errors.push(tooMany(path, value.length, schema.maxItems));
  }
  if (schema.minItems !== undefined && value.length < schema.minItems) {
    errors.push(invalid(path, value.length, `${path} in body should have at least ${schema.minItems} items`));
  }
  const items = resolve(schema.items);
  value.forEach((item, i) => errors.push(...schemaErrors(item, items, `${path}[${i}]`)));
  const kind = listKind(schema);
  if (kind.kind === 'atomic') return errors;
  const seen = new Set<string>();
  value.forEach((item, i) => {
    const key =
      kind.kind === 'set'
        ? item
        : Object.fromEntries(kind.keys.filter((k) => k in (item ?? {})).map((k) => [k, item[k]]));
    const text = JSON.stringify(key);
    if (seen.has(text)) errors.push(duplicate(`${path}[${i}]`, key));
    seen.add(text);
  });
  return errors;
}

function objectErrors(value: JsonObject, schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const at = (key: string): string => (path ? `${path}.${key}` : key);
  const count = Object.keys(value).length;
  if (schema.maxProperties !== undefined && count > schema.maxProperties) {
    errors.push(tooMany(path, count, schema.maxProperties));
  }
  if (schema.minProperties !== undefined && count < schema.minProperties) {
    errors.push(invalid(path, count, `${path} in body should have at least ${schema.minProperties} properties`));
  }
  for (const key of schema.required ?? []) if (value[key] === undefined) errors.push(required(at(key)));
  for (const [key, inner] of Object.entries(value)) {
    const own = schema.properties?.[key];
    const rest = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
    const chosen = own ?? rest;
    if (chosen && inner !== undefined) errors.push(...schemaErrors(inner, resolve(chosen), at(key)));
  }
  return errors;
}

/** Faults by allOf, anyOf, oneOf and not. */
function combinedErrors(value: Json, schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const fault = (text: string): void => {
    // The real server has no field for these: it writes <nil>.
    errors.push({ reason: 'FieldValueInvalid', field: '<nil>', message: `Invalid value: "": ${shown(path)} ${text}` });
  };
  const results = (list: Schema[] | undefined): FieldError[][] =>
    (list ?? []).map((one) => schemaErrors(value, resolve(one), path));
  errors.push(...results(schema.allOf).flat());
  const any = results(schema.anyOf);
  if (any.length > 0 && any.every((list) => list.length > 0)) {
    fault('must validate at least one schema (anyOf)');
    errors.push(...(any[0] as FieldError[]));
  }
  const one = results(schema.oneOf);
  const valid = one.filter((list) => list.length === 0).length;
  if (one.length > 0 && valid === 0) {
    fault('must validate one and only one schema (oneOf). Found none valid');
    errors.push(...(one[0] as FieldError[]));
  } else if (valid > 1) {
    fault(`must validate one and only one schema (oneOf). Found ${valid} valid alternatives`);
  }
  if (schema.not && schemaErrors(value, resolve(schema.not), path).length === 0) {
    fault('must not validate the schema (not)');
  }
  return errors;
}
