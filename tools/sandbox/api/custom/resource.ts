import type { FieldError } from '../http/status.ts';
import { type Json, type KubeObject } from '../json.ts';
import type { Strategy } from '../kinds/strategy.ts';
import type { Resource } from '../registry.ts';
import { applyDefaults } from '../schema/decode.ts';
import { type Schema, objectMeta } from '../schema/schema.ts';
import { schemaErrors } from '../schema/validate.ts';
import { celErrors, hasRules } from './cel.ts';
import { evaluateJsonPath, parseJsonPath, printerColumns } from './columns.ts';

/** Faults that leave the object in no shape for rules to be tried on it. */
const blocking = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

const notChecked: FieldError = {
  reason: 'FieldValueInvalid',
  field: '<nil>',
  message:
    'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};

function withoutMetadata(object: KubeObject): Json {
  const { metadata: _, ...rest } = object;
  return rest;
}

function strategyOf(version: Json, schema: Schema): Strategy {
  const rules = hasRules(schema);
  const hasStatus = version.subresources?.status !== undefined;
  const validate = (object: KubeObject, old: Json): FieldError[] => {
    const errors = schemaErrors(withoutMetadata(object), schema, '');
    if (!rules) return errors;
    if (!object.metadata.name || errors.some((e) => blocking.has(e.reason))) return [...errors, notChecked];
    return [...errors, ...celErrors(object, old, schema, '')];
  };
  const fields: Strategy['fields'] = {};
  for (const { jsonPath } of version.selectableFields ?? []) {
    const steps = parseJsonPath(jsonPath);
    fields[String(jsonPath).replace(/^\./, '')] = (object) => String(evaluateJsonPath(steps, object)[0] ?? '');
  }
  return {
    unconditionalUpdate: false,
    defaults(draft) {
      const { metadata } = draft;
      Object.assign(draft, applyDefaults(withoutMetadata(draft), schema), { metadata });
    },
    validate: (object, context) => validate(object, context.old),
    generation: (object) => {
      const { metadata: _, status, ...rest } = object;
      return hasStatus ? rest : { ...rest, status };
    },
    fields,
    columns: printerColumns(version.additionalPrinterColumns),
  };
}

/** The served versions of a CustomResourceDefinition as resources. They share one storage; conversion is None. */
export function customResources(definition: KubeObject): Resource[] {
  const { spec } = definition as Json;
  const storage = `${spec.group}/${spec.names.plural}`;
  const stored = (spec.versions as Json[]).find((v) => v.storage)?.name as string;
  return (spec.versions as Json[])
    .filter((version) => version.served)
    .map((version) => {
      const own = version.schema.openAPIV3Schema as Schema;
      const schema: Schema = {
        ...own,
        properties: {
          apiVersion: { type: 'string' },
          kind: { type: 'string' },
          ...own.properties,
          metadata: objectMeta,
        },
      };
      const scale = version.subresources?.scale;
      const withVersion = (name: string) => (object: KubeObject) => ({
        ...object,
        apiVersion: `${spec.group}/${name}`,
      });
      return {
        group: spec.group,
        version: version.name,
        plural: spec.names.plural,
        singular: spec.names.singular,
        kind: spec.names.kind,
        listKind: spec.names.listKind,
        namespaced: spec.scope === 'Namespaced',
        shortNames: spec.names.shortNames ?? [],
        categories: spec.names.categories ?? [],
        verbs: ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'],
        status: version.subresources?.status !== undefined,
        ...(scale
          ? {
              scale: {
                specPath: scale.specReplicasPath,
                statusPath: scale.statusReplicasPath,
                ...(scale.labelSelectorPath ? { selectorPath: scale.labelSelectorPath } : {}),
              },
            }
          : {}),
        storage,
        schema,
        strategy: strategyOf(version, schema),
        custom: true,
        ...(version.name === stored
          ? {}
          : { view: { toStored: withVersion(stored), fromStored: withVersion(version.name) } }),
      } satisfies Resource;
    });
}
