import { goText, goSyntax, goType } from '../go-values.ts';
import { type Json, type JsonObject, isObject } from '../json.ts';
import { type Schema, field, listKind, objectMeta, resolve } from '../schema/schema.ts';
import { shownPath } from './set.ts';
import { isAssociative, itemElement } from './walk.ts';

/**
 * Why a configuration cannot be owned field by field: fields that the schema does not have, values of another type. Each
 * with its path, in the words of structured-merge-diff, whose validation this is (typed/validate.go).
 */
export function typeFaults(value: Json, schema: Schema, custom: boolean): string[] {
  const faults: string[] = [];
  walk(value, schema, [], custom, faults);
  return faults;
}

function walk(value: Json, raw: Schema, path: string[], custom: boolean, faults: string[]): void {
  const schema = resolve(raw);
  const fault = (text: string): void => void faults.push(`${shownPath(path)}: ${text}`);
  if (value === null || value === undefined) return;
  switch (schema.type) {
    case 'object':
      if (isObject(value)) walkMap(value, schema, path, custom, faults);
      else fault(`expected map, got &{${goText(value)}}`);
      return;
    case 'array':
      if (Array.isArray(value)) walkList(value, schema, path, custom, faults);
      else fault(`expected list, got &{${goText(value)}}`);
      return;
    case 'integer':
    case 'number':
      if (typeof value !== 'number') fault(`expected numeric (int or float), got ${goType(value)}`);
      return;
    case 'boolean':
      if (typeof value !== 'boolean') fault(`expected boolean, got &{${goText(value)}}`);
      return;
    case 'string':
      // Times are scalars of any type there, and read later.
      if (typeof value !== 'string' && schema.format !== 'date-time')
        fault(`expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`);
      return;
    default:
  }
}

function walkMap(value: JsonObject, schema: Schema, path: string[], custom: boolean, faults: string[]): void {
  const free = custom
    ? schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true
    : !schema.properties && !schema.additionalProperties;
  const embedded = schema['x-kubernetes-embedded-resource'] === true;
  for (const key of Object.keys(value).sort()) {
    const own = field(schema, key);
    const known = own ?? (embedded && key === 'metadata' ? objectMeta : undefined);
    // A custom object's metadata is as strict as a built-in one's.
    if (known) walk(value[key], known, [...path, `f:${key}`], custom && known !== objectMeta, faults);
    else if (!free && !(embedded && (key === 'apiVersion' || key === 'kind'))) {
      faults.push(`${shownPath([...path, `f:${key}`])}: field not declared in schema`);
      return; // as there: nothing more of this map
    }
  }
}

function walkList(list: Json[], schema: Schema, path: string[], custom: boolean, faults: string[]): void {
  const named = isAssociative(schema, list);
  for (const [i, item] of list.entries()) {
    if (listKind(schema).kind === 'map' && !isObject(item)) {
      const what = item === null ? 'a null element' : 'non-map elements';
      faults.push(`${shownPath(path)}: element ${i}: associative list with keys may not have ${what}`);
      return;
    }
    const element = named ? (itemElement(schema, item) as string) : `i:${i}`;
    walk(item, schema.items ?? {}, [...path, element], custom, faults);
  }
}
