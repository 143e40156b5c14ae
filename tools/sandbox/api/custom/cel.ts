import { Environment } from '@marcbachmann/cel-js';

import type { FieldError } from '../http/status.ts';
import { type Json, isObject } from '../json.ts';
import { type Schema, type ValidationRule, listKind, resolve } from '../schema/schema.ts';

const ordered = (list: Json[]): boolean => list.every((x, i) => i === 0 || !(x < list[i - 1]));

/** CEL as CustomResourceDefinitions have it: `self`, `oldSelf`, and Kubernetes' list and regex functions. */
const environment = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false })
  .registerVariable('self', 'dyn')
  .registerVariable('oldSelf', 'dyn')
  .registerFunction('list.isSorted(): bool', ordered)
  .registerFunction('list.sum(): dyn', (list: Json[]) =>
    list.reduce((a, b) => a + b, typeof list[0] === 'number' ? 0 : 0n),
  )
  .registerFunction('list.min(): dyn', (list: Json[]) => list.reduce((a, b) => (b < a ? b : a)))
  .registerFunction('list.max(): dyn', (list: Json[]) => list.reduce((a, b) => (b > a ? b : a)))
  .registerFunction('list.indexOf(dyn): int', (list: Json[], x: Json) => BigInt(list.indexOf(x)))
  .registerFunction('list.lastIndexOf(dyn): int', (list: Json[], x: Json) => BigInt(list.lastIndexOf(x)))
  .registerFunction(
    'string.find(string): string',
    (text: string, re: string) => new RegExp(re, 'u').exec(text)?.[0] ?? '',
  )
  .registerFunction(
    'string.findAll(string): list<string>',
    (text: string, re: string) => text.match(new RegExp(re, 'gu')) ?? [],
  )
  .registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
    text.replaceAll(from, to),
  )
  .registerFunction('string.charAt(int): string', (text: string, i: bigint) => text.charAt(Number(i)));

interface Compiled {
  rule: ValidationRule;
  /** Compares with the old value, so it counts on updates only. */
  transition: boolean;
  test: (context: Json) => Json;
  message?: (context: Json) => Json;
}

const usesOld = (text: string): boolean => /\boldSelf\b/.test(text);

function compileExpression(text: string): (context: Json) => Json {
  const program = environment.parse(text);
  const checked = program.check();
  if (!checked.valid) throw checked.error ?? new Error('invalid expression');
  return (context) => program(context);
}

/** Compiles one rule; throws with CEL's own complaint. */
export function compileRule(rule: ValidationRule): Compiled {
  return {
    rule,
    transition: usesOld(rule.rule),
    test: compileExpression(rule.rule),
    ...(rule.messageExpression ? { message: compileExpression(rule.messageExpression) } : {}),
  };
}

const compiled = new WeakMap<ValidationRule, Compiled>();
function program(rule: ValidationRule): Compiled {
  let found = compiled.get(rule);
  if (!found) compiled.set(rule, (found = compileRule(rule)));
  return found;
}

/** CEL's identifiers cannot hold these; Kubernetes escapes them so. */
const escapes: [RegExp, string][] = [
  [/__/g, '__underscores__'],
  [/\./g, '__dot__'],
  [/-/g, '__dash__'],
  [/\//g, '__slash__'],
];
const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return'.split(' '),
);

function escaped(name: string): string {
  if (reserved.has(name)) return `__${name}__`;
  return escapes.reduce((text, [pattern, by]) => text.replace(pattern, by), name);
}

/** A JSON value as CEL sees it by its schema: whole numbers of integer fields are ints, not doubles. */
function toCel(value: Json, schema: Schema): Json {
  if (typeof value === 'number') {
    const whole = schema.type === 'integer' || (schema['x-kubernetes-int-or-string'] && Number.isInteger(value));
    return whole ? BigInt(value) : value;
  }
  if (typeof value === 'string' && schema.format === 'date-time') return new Date(value);
  if (Array.isArray(value)) return value.map((item) => toCel(item, resolve(schema.items)));
  if (!isObject(value)) return value;
  const out: Json = {};
  for (const [key, inner] of Object.entries(value)) {
    const own = schema.properties?.[key];
    const rest = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
    out[own ? escaped(key) : key] = toCel(inner, resolve(own ?? rest));
  }
  return out;
}

/** Whether any rule is anywhere in the schema. */
export function hasRules(schema: Schema): boolean {
  if (schema['x-kubernetes-validations']?.length) return true;
  const rest = schema.additionalProperties;
  return (
    Object.values(schema.properties ?? {}).some((inner) => hasRules(resolve(inner))) ||
    (schema.items !== undefined && hasRules(resolve(schema.items))) ||
    (typeof rest === 'object' && hasRules(resolve(rest)))
  );
}

const typeName = (value: Json, schema: Schema): string =>
  schema.type ?? (Array.isArray(value) ? 'array' : isObject(value) ? 'object' : typeof value);

/**
 * Faults by x-kubernetes-validations. `old` is the value before an update, where it can be matched with this one: rules
 * about `oldSelf` count only then.
 */
export function celErrors(value: Json, old: Json, schema: Schema, path: string): FieldError[] {
  if (value === undefined || value === null) return [];
  const errors: FieldError[] = [];
  const rules = schema['x-kubernetes-validations'] ?? [];
  if (rules.length > 0) {
    const context: Json = { self: toCel(value, schema) };
    if (old !== undefined) context.oldSelf = toCel(old, schema);
    for (const rule of rules) {
      const fault = evaluate(program(rule), context, old, typeName(value, schema), path);
      if (fault) errors.push(fault);
    }
  }
  if (isObject(value)) {
    const rest = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
    for (const [key, inner] of Object.entries(value)) {
      const chosen = schema.properties?.[key] ?? rest;
      if (chosen)
        errors.push(
          ...celErrors(inner, isObject(old) ? old[key] : undefined, resolve(chosen), path ? `${path}.${key}` : key),
        );
    }
  } else if (Array.isArray(value) && schema.items) {
    const kind = listKind(schema);
    const items = resolve(schema.items);
    value.forEach((item, i) => {
      // Only items that can be told apart have an old self.
      const before =
        kind.kind === 'map' && Array.isArray(old)
          ? old.find((o: Json) => kind.keys.every((key) => o?.[key] === item?.[key]))
          : undefined;
      errors.push(...celErrors(item, before, items, `${path}[${i}]`));
    });
  }
  return errors;
}

function evaluate(c: Compiled, context: Json, old: Json, type: string, path: string): FieldError | undefined {
  if (c.transition && old === undefined && !c.rule.optionalOldSelf) return undefined;
  const { rule } = c;
  const reason = rule.reason ?? 'FieldValueInvalid';
  const field = rule.fieldPath ? path + (path ? rule.fieldPath : rule.fieldPath.replace(/^\./, '')) : path;
  const fault = (text: string): FieldError => {
    if (reason === 'FieldValueForbidden') return { reason, field, message: `Forbidden: ${text}` };
    if (reason === 'FieldValueRequired') return { reason, field, message: `Required value: ${text}` };
    if (reason === 'FieldValueDuplicate') return { reason, field, message: `Duplicate value: "${type}"` };
    return { reason, field, message: `Invalid value: "${type}": ${text}` };
  };
  try {
    if (c.test(context) === true) return undefined;
  } catch (error) {
    const [first = ''] = (error as Error).message.split('\n');
    return fault(`${first.replace(/^No such key/, 'no such key')} evaluating rule: ${rule.message ?? rule.rule}`);
  }
  let message = rule.message?.trim() ?? `failed rule: ${rule.rule.trim()}`;
  if (c.message) {
    try {
      const text = c.message(context);
      if (typeof text === 'string' && text.trim() !== '' && !text.includes('\n')) message = text.trim();
    } catch {
      // As the real server: a message that cannot be made gives way to the fixed one.
    }
  }
  return fault(message);
}
