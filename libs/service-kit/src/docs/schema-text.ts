type Schema = Readonly<Record<string, unknown>>;
type Components = Readonly<Record<string, Schema>>;

/** A JSON Schema in a notation that people read: names, types, limits, `?` for what may be missing. */
export function schemaText(schema: Schema, components: Components, indent = '', open: readonly string[] = []): string {
  if (typeof schema['$ref'] === 'string') {
    const name = schema['$ref'].split('/').at(-1)!;
    const target = components[name];
    return target === undefined || open.includes(name) ? name : schemaText(target, components, indent, [...open, name]);
  }
  for (const keyword of ['anyOf', 'oneOf', 'allOf'] as const) {
    const variants = schema[keyword] as readonly Schema[] | undefined;
    if (variants === undefined) continue;
    return variants
      .map((variant) => schemaText(variant, components, indent, open))
      .join(keyword === 'allOf' ? ' & ' : ' | ');
  }
  if ('const' in schema) return JSON.stringify(schema['const']);
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => JSON.stringify(value)).join(' | ');
  if (schema['type'] === 'array') return `${schemaText((schema['items'] ?? {}) as Schema, components, indent, open)}[]`;
  if (schema['type'] === 'object') return objectText(schema, components, indent, open);
  return `${typeof schema['type'] === 'string' ? schema['type'] : 'any'}${limits(schema)}`;
}

function objectText(schema: Schema, components: Components, indent: string, open: readonly string[]): string {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>);
  if (properties.length === 0) {
    const rest = schema['additionalProperties'];
    return typeof rest === 'object' && rest !== null
      ? `{ [name]: ${schemaText(rest as Schema, components, indent, open)} }`
      : '{}';
  }
  const required = (schema['required'] ?? []) as readonly string[];
  const lines = properties.map(([name, property]) => {
    const text = schemaText(property, components, `${indent}  `, open);
    const byDefault = 'default' in property ? ` = ${JSON.stringify(property['default'])}` : '';
    const about = typeof property['description'] === 'string' ? `  // ${property['description']}` : '';
    return `${indent}  ${name}${required.includes(name) ? '' : '?'}: ${text}${byDefault}${about}`;
  });
  return `{\n${lines.join('\n')}\n${indent}}`;
}

function limits(schema: Schema): string {
  const parts: string[] = [];
  if (typeof schema['format'] === 'string') parts.push(schema['format']);
  if (typeof schema['pattern'] === 'string') parts.push(`/${schema['pattern']}/`);
  const [least, most] = [schema['minimum'], schema['maximum']];
  if (isLimit(least) || isLimit(most)) parts.push(`${isLimit(least) ? least : ''}..${isLimit(most) ? most : ''}`);
  const [shortest, longest] = [schema['minLength'], schema['maxLength']];
  if (isLimit(shortest) || isLimit(longest)) {
    parts.push(`${isLimit(shortest) ? shortest : 0}..${isLimit(longest) ? longest : ''} characters`);
  }
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

/** zod writes the bounds of safe integers for "any integer"; they tell a reader nothing. */
const isLimit = (value: unknown): value is number =>
  typeof value === 'number' && Math.abs(value) !== Number.MAX_SAFE_INTEGER;
