import { canarySpecSchema, evidenceSchema } from '@keelson/contracts';
import { z } from 'zod';
import { evidenceJsonSchema } from './evidence-schema.ts';
import { canarySpecJsonSchema } from './spec-schema.ts';

type Schema = { [key: string]: unknown };

/** JSON Schema as zod writes it, told in the words of a structural schema. */
function structural(schema: Schema): Schema {
  const kept = without(schema, ['$schema', '$id', 'id', '$defs', 'additionalProperties']);
  // Whole numbers have the limits of a double: no limit at all.
  if (kept['minimum'] === Number.MIN_SAFE_INTEGER) delete kept['minimum'];
  if (kept['maximum'] === Number.MAX_SAFE_INTEGER) delete kept['maximum'];
  // zod says both what it checks and how; structural schemas know few formats.
  delete kept[kept['format'] === 'date-time' ? 'pattern' : 'format'];
  return inside(kept, structural);
}

/** The hand-written schema without what JSON Schema made from zod cannot have. */
function bare(schema: Schema): Schema {
  const kept = without(schema, ['description', 'x-kubernetes-validations']);
  // Of a label the pattern already says it; the API server needs the number to estimate the cost of CEL rules.
  if (kept['maxLength'] === 63) delete kept['maxLength'];
  return inside(kept, bare);
}

function inside(schema: Schema, change: (schema: Schema) => Schema): Schema {
  return {
    ...schema,
    ...(schema['properties'] !== undefined && { properties: eachOf(schema['properties'] as Schema, change) }),
    ...(schema['items'] !== undefined && { items: change(schema['items'] as Schema) }),
  };
}

const without = (schema: Schema, names: string[]): Schema =>
  Object.fromEntries(Object.entries(schema).filter(([name]) => !names.includes(name)));

const eachOf = (properties: Schema, change: (schema: Schema) => Schema): Schema =>
  Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, change(schema as Schema)]));

function definitionOf(schema: z.ZodType): Schema {
  const made = z.toJSONSchema(schema, { io: 'input' }) as Schema & { $ref?: string; $defs?: Record<string, Schema> };
  const name = made.$ref?.replace('#/$defs/', '');
  return structural(name === undefined ? made : (made.$defs?.[name] ?? {}));
}

test('the spec that the API server checks is the one of the contracts', () => {
  expect(bare(canarySpecJsonSchema)).toEqual(definitionOf(canarySpecSchema));
});

test('the evidence in the status is the one of the contracts', () => {
  expect(bare(evidenceJsonSchema)).toEqual(definitionOf(evidenceSchema));
});
