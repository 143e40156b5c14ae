import { type FieldError, duplicate, forbiddenField, invalid, notSupported, required } from '../http/status.ts';
import { type Json } from '../json.ts';
import { dnsLabel1035, dnsSubdomain } from '../kinds/names.ts';
import type { Schema } from '../schema/schema.ts';
import { compileRule } from './cel.ts';
import { parseJsonPath } from './columns.ts';

/** What defaulting fills into a CustomResourceDefinition. */
export function defaultCrd(draft: Json): void {
  const { spec } = draft;
  if (!spec) return;
  spec.conversion ??= { strategy: 'None' };
  spec.names ??= {};
  spec.names.singular ||= String(spec.names.kind ?? '').toLowerCase();
  spec.names.listKind ||= `${spec.names.kind}List`;
}

/** Faults of a CustomResourceDefinition, of its parts that the sandbox uses. */
export function crdErrors({ spec, metadata }: Json): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec?.group) return [required('spec.group')];
  const badGroup = dnsSubdomain(spec.group);
  if (badGroup) errors.push(invalid('spec.group', spec.group, badGroup));
  const expected = `${spec.names?.plural}.${spec.group}`;
  if (metadata.name !== expected) {
    errors.push(invalid('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'));
  }
  if (!['Namespaced', 'Cluster'].includes(spec.scope)) {
    errors.push(
      spec.scope ? notSupported('spec.scope', spec.scope, ['Cluster', 'Namespaced']) : required('spec.scope'),
    );
  }
  for (const key of ['plural', 'singular', 'kind', 'listKind']) {
    const value = spec.names[key];
    if (!value) errors.push(required(`spec.names.${key}`));
    else {
      const bad = dnsLabel1035(String(value).toLowerCase());
      if (bad) errors.push(invalid(`spec.names.${key}`, value, bad));
    }
  }
  if (spec.conversion.strategy !== 'None') {
    errors.push(
      forbiddenField(
        'spec.conversion.strategy',
        `the sandbox does not serve conversion by ${spec.conversion.strategy}; use --cluster=real`,
      ),
    );
  }
  if (!spec.versions?.length) errors.push(required('spec.versions'));
  const stored = (spec.versions ?? []).filter((v: Json) => v.storage).length;
  if (spec.versions?.length && stored !== 1) {
    errors.push(
      invalid(
        'spec.versions',
        spec.versions.map((v: Json) => v.name),
        'must have exactly one version marked as storage version',
      ),
    );
  }
  const names = new Set<string>();
  (spec.versions ?? []).forEach((version: Json, i: number) => {
    const path = `spec.versions[${i}]`;
    if (names.has(version.name)) errors.push(duplicate(`${path}.name`, version.name));
    names.add(version.name);
    const root = version.schema?.openAPIV3Schema as Schema | undefined;
    if (!root) errors.push(required(`${path}.schema.openAPIV3Schema`, 'schemas are required'));
    else {
      if (root.type !== 'object')
        errors.push(required(`${path}.schema.openAPIV3Schema.type`, 'must not be empty at the root'));
      errors.push(...structureErrors(root, `${path}.schema.openAPIV3Schema`));
    }
    (version.additionalPrinterColumns ?? []).forEach((column: Json, j: number) => {
      try {
        parseJsonPath(column.jsonPath ?? '');
      } catch (error) {
        errors.push(
          invalid(`${path}.additionalPrinterColumns[${j}].jsonPath`, column.jsonPath, (error as Error).message),
        );
      }
    });
  });
  return errors;
}

/** A structural schema says its type everywhere; rules must compile. */
function structureErrors(schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const free = schema['x-kubernetes-int-or-string'] || schema['x-kubernetes-preserve-unknown-fields'];
  if (!schema.type && !free) errors.push(required(`${path}.type`, 'must not be empty for specified object fields'));
  if (schema.type === 'array' && !schema.items) errors.push(required(`${path}.items`, 'must be specified'));
  if (schema.$ref) errors.push(forbiddenField(`${path}.$ref`, '$ref is not supported'));
  if (schema['x-kubernetes-list-type'] === 'map' && !schema['x-kubernetes-list-map-keys']?.length) {
    errors.push(required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'));
  }
  if (schema.pattern !== undefined) {
    try {
      RegExp(schema.pattern, 'u');
    } catch (error) {
      errors.push(
        invalid(
          `${path}.pattern`,
          schema.pattern,
          `must be a valid regular expression, but isn't: ${(error as Error).message}`,
        ),
      );
    }
  }
  (schema['x-kubernetes-validations'] ?? []).forEach((rule, i) => {
    try {
      compileRule(rule);
    } catch (error) {
      errors.push(
        invalid(
          `${path}.x-kubernetes-validations[${i}].rule`,
          rule.rule,
          `compilation failed: ERROR: ${(error as Error).message}`,
        ),
      );
    }
  });
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    errors.push(...structureErrors(inner, `${path}.properties[${name}]`));
  }
  if (schema.items) errors.push(...structureErrors(schema.items, `${path}.items`));
  if (typeof schema.additionalProperties === 'object') {
    errors.push(...structureErrors(schema.additionalProperties, `${path}.additionalProperties`));
  }
  return errors;
}
