import { readFileSync } from 'node:fs';

import type { Json } from '../json.ts';

/** OpenAPI 3.0 with Kubernetes' extensions, as far as the sandbox reads it: of built-in kinds and of CRDs alike. */
export interface Schema {
  $ref?: string;
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  format?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  required?: string[];
  default?: Json;
  nullable?: boolean;
  enum?: Json[];
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  not?: Schema;
  description?: string;
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: 'atomic' | 'granular';
  'x-kubernetes-patch-strategy'?: string;
  'x-kubernetes-patch-merge-key'?: string;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-validations'?: ValidationRule[];
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
}

export interface ValidationRule {
  rule: string;
  message?: string;
  messageExpression?: string;
  reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate';
  fieldPath?: string;
  optionalOldSelf?: boolean;
}

/** The built-in definitions by name (`io.k8s.api.core.v1.Pod`), made by extract.ts from a real API server. */
export const definitions: ReadonlyMap<string, Schema> = new Map(
  readFileSync(new URL('./built-in.jsonl', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as [string, Schema]),
);

export const objectMetaName = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
export const objectMeta = definitions.get(objectMetaName) as Schema;

const byKind = new Map<string, string>();
for (const [name, schema] of definitions) {
  const gvks = schema['x-kubernetes-group-version-kind'] ?? [];
  // DeleteOptions and Status carry every group's name; a kind of its own carries one.
  for (const { group, version, kind } of gvks.length === 1 ? gvks : []) byKind.set(`${group}/${version}/${kind}`, name);
}

/** The name of a built-in kind's definition. */
export function definitionName(group: string, version: string, kind: string): string {
  const found = byKind.get(`${group}/${version}/${kind}`);
  if (!found) throw new Error(`built-in.jsonl has no ${group}/${version} ${kind}; run extract.ts`);
  return found;
}

/** The schema of a built-in kind. */
export const schemaOf = (group: string, version: string, kind: string): Schema =>
  definitions.get(definitionName(group, version, kind)) as Schema;

/**
 * The schema behind a reference. Siblings of the reference (default, list type) are merged over it: kubectl and the
 * field manager read them from the property, not from the definition.
 */
export function resolve(schema: Schema | undefined): Schema {
  if (!schema?.$ref) return schema ?? {};
  const target = definitions.get(schema.$ref) ?? {};
  if (Object.keys(schema).length === 1) return target;
  let merged = mergedReferences.get(schema);
  if (!merged) {
    merged = { ...target, ...schema };
    delete merged.$ref;
    mergedReferences.set(schema, merged);
  }
  return merged;
}
const mergedReferences = new WeakMap<Schema, Schema>();

/** The schema of one field, or undefined where the schema does not know it. */
export function field(schema: Schema, name: string): Schema | undefined {
  const own = schema.properties?.[name];
  if (own) return own;
  const rest = schema.additionalProperties;
  return typeof rest === 'object' ? rest : undefined;
}

/** The name of a list's items for the field manager: how two versions of the list are matched. */
export type ListKind = { kind: 'atomic' } | { kind: 'set' } | { kind: 'map'; keys: string[] };

export function listKind(schema: Schema): ListKind {
  const type = schema['x-kubernetes-list-type'];
  if (type === 'map') return { kind: 'map', keys: schema['x-kubernetes-list-map-keys'] ?? [] };
  if (type === 'set') return { kind: 'set' };
  return { kind: 'atomic' };
}
