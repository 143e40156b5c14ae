import { breaking, type Change, notice } from './change.ts';

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly format?: string;
  readonly pattern?: string;
  readonly [limit: string]: unknown;
}

/** Who reads it: a client reads a response (or a consumer a message), the service a request. */
export type Direction = 'request' | 'response';

export interface Side {
  readonly schema: Schema | undefined;
  readonly components: Readonly<Record<string, Schema>>;
}

/** Limits that get tighter by growing, and by shrinking. */
const LOWER = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'];
const UPPER = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'];

/** Compares two versions of one schema; `where` leads to it. */
export function compareSchema(base: Side, next: Side, direction: Direction, where: string): Change[] {
  return new Comparison(base.components, next.components, direction).compare(base.schema, next.schema, where);
}

class Comparison {
  readonly #baseComponents: Readonly<Record<string, Schema>>;
  readonly #nextComponents: Readonly<Record<string, Schema>>;
  readonly #direction: Direction;
  /** Pairs of references that are being compared: schemas may contain themselves. */
  readonly #open = new Set<string>();

  constructor(base: Side['components'], next: Side['components'], direction: Direction) {
    this.#baseComponents = base;
    this.#nextComponents = next;
    this.#direction = direction;
  }

  compare(base: Schema | undefined, next: Schema | undefined, where: string): Change[] {
    if (base === undefined) {
      return next === undefined || this.#direction === 'response' ? [] : [notice(where, 'is constrained now')];
    }
    if (next === undefined) return [breaking(where, 'is not described any more')];
    const pair = `${base.$ref}>${next.$ref}`;
    if (base.$ref !== undefined && next.$ref !== undefined) {
      if (this.#open.has(pair)) return [];
      this.#open.add(pair);
    }
    const changes = this.#compareResolved(
      resolve(base, this.#baseComponents),
      resolve(next, this.#nextComponents),
      where,
    );
    this.#open.delete(pair);
    return changes;
  }

  #compareResolved(base: Schema, next: Schema, where: string): Change[] {
    return [
      ...this.#type(base, next, where),
      ...this.#values(base, next, where),
      ...this.#properties(base, next, where),
      ...this.#rest(base, next, where),
      ...this.#variants(base, next, where),
      ...(this.#direction === 'request' ? limits(base, next, where) : []),
    ];
  }

  #type(base: Schema, next: Schema, where: string): Change[] {
    const before = typesOf(base);
    const after = typesOf(next);
    if (before === undefined && after === undefined) return [];
    // A reader copes with fewer types than it knows; a request may still send every type it sent before.
    const [given, understood] = this.#direction === 'response' ? [after, before] : [before, after];
    const fits = understood === undefined || (given !== undefined && given.every((type) => accepts(understood, type)));
    return fits
      ? []
      : [breaking(where, `type was ${before?.join(' or ') ?? 'any'}, is ${after?.join(' or ') ?? 'any'}`)];
  }

  #values(base: Schema, next: Schema, where: string): Change[] {
    const before = valuesOf(base);
    const after = valuesOf(next);
    if (before === undefined && after === undefined) return [];
    if (before === undefined) {
      return this.#direction === 'response' ? [] : [breaking(where, `only ${list(after!)} is allowed now`)];
    }
    if (after === undefined) {
      return this.#direction === 'request' ? [] : [breaking(where, `was one of ${list(before)}, may be anything now`)];
    }
    const removed = before.filter((value) => !after.includes(value));
    const added = after.filter((value) => !before.includes(value));
    return [
      ...(removed.length > 0 ? [breaking(where, `value ${list(removed)} was removed`)] : []),
      ...(added.length > 0 && this.#direction === 'response'
        ? [notice(where, `value ${list(added)} is new: clients that know all values refuse it`)]
        : []),
    ];
  }

  #properties(base: Schema, next: Schema, where: string): Change[] {
    const before = base.properties ?? {};
    const after = next.properties ?? {};
    const changes: Change[] = [];
    for (const [name, schema] of Object.entries(before)) {
      const path = `${where}.${name}`;
      if (!(name in after)) {
        changes.push(breaking(path, 'was removed'));
        continue;
      }
      const was = base.required?.includes(name) === true;
      const is = next.required?.includes(name) === true;
      if (this.#direction === 'request' && !was && is) changes.push(breaking(path, 'is required now'));
      if (this.#direction === 'response' && was && !is) changes.push(breaking(path, 'may be missing now'));
      changes.push(...this.compare(schema, after[name], path));
    }
    for (const name of Object.keys(after)) {
      if (name in before || this.#direction === 'response') continue;
      if (next.required?.includes(name) === true) changes.push(breaking(`${where}.${name}`, 'is new and required'));
    }
    return changes;
  }

  #rest(base: Schema, next: Schema, where: string): Change[] {
    const changes: Change[] = [];
    if (base.items !== undefined || next.items !== undefined) {
      changes.push(...this.compare(base.items, next.items, `${where}[]`));
    }
    const [before, after] = [base.additionalProperties, next.additionalProperties];
    if (this.#direction === 'request' && after === false && before !== false && next.properties !== undefined) {
      changes.push(breaking(where, 'refuses unknown fields now'));
    }
    if (typeof before === 'object' && typeof after === 'object')
      changes.push(...this.compare(before, after, `${where}{}`));
    return changes;
  }

  #variants(base: Schema, next: Schema, where: string): Change[] {
    const changes: Change[] = [];
    for (const keyword of ['anyOf', 'oneOf', 'allOf'] as const) {
      const before = base[keyword] ?? [];
      const after = next[keyword] ?? [];
      if (before.length === 0 && after.length === 0) continue;
      // Variants are paired by place; new ones are to be added at the end.
      before.forEach((schema, at) => {
        if (after[at] === undefined) changes.push(breaking(`${where}<${at}>`, 'this variant was removed'));
        else changes.push(...this.compare(schema, after[at], `${where}<${at}>`));
      });
      if (after.length > before.length) {
        const restricts = keyword === 'allOf' && this.#direction === 'request';
        const what = restricts
          ? 'is restricted further'
          : 'has another variant: clients that know all variants refuse it';
        if (restricts) changes.push(breaking(where, what));
        else if (this.#direction === 'response') changes.push(notice(where, what));
      }
    }
    return changes;
  }
}

function limits(base: Schema, next: Schema, where: string): Change[] {
  const changes: Change[] = [];
  for (const [keywords, tighter] of [
    [LOWER, (before: number, after: number) => after > before],
    [UPPER, (before: number, after: number) => after < before],
  ] as const) {
    for (const keyword of keywords) {
      const before = base[keyword] as number | undefined;
      const after = next[keyword] as number | undefined;
      if (after === undefined) continue;
      if (before === undefined || tighter(before, after)) {
        changes.push(breaking(where, `${keyword} was ${before ?? 'not set'}, is ${after}`));
      }
    }
  }
  for (const keyword of ['format', 'pattern'] as const) {
    if (next[keyword] !== undefined && next[keyword] !== base[keyword]) {
      changes.push(breaking(where, `${keyword} was ${base[keyword] ?? 'not set'}, is ${next[keyword]}`));
    }
  }
  return changes;
}

function resolve(schema: Schema, components: Readonly<Record<string, Schema>>): Schema {
  if (schema.$ref === undefined) return schema;
  const target = components[schema.$ref.replace('#/components/schemas/', '')];
  if (target === undefined) throw new Error(`${schema.$ref} leads nowhere`);
  return resolve(target, components);
}

function typesOf(schema: Schema): readonly string[] | undefined {
  if (schema.type !== undefined) return [schema.type].flat();
  const values = valuesOf(schema);
  return values === undefined ? undefined : [...new Set(values.map(jsonType))];
}

const jsonType = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

const accepts = (understood: readonly string[], type: string): boolean =>
  understood.includes(type) || (type === 'integer' && understood.includes('number'));

const valuesOf = (schema: Schema): readonly unknown[] | undefined =>
  schema.enum ?? ('const' in schema ? [schema.const] : undefined);

const list = (values: readonly unknown[]): string => values.map((value) => JSON.stringify(value)).join(', ');
