import { z } from 'zod';

export type JsonSchema = Record<string, unknown>;

/** Formats of JSON Schema 2020-12, section 7.3. */
const FORMATS = new Set(['date-time', 'date', 'time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uri', 'uuid']);

/**
 * Collects JSON Schemas (draft 2020-12) for one document. Schemas with an id (`.meta({ id })`) become components and
 * are referred to; the rest stands where it is used.
 */
export class SchemaCollector {
  readonly #prefix: string;
  readonly #components = new Map<string, JsonSchema>();

  /** @param prefix where the components will stand: `#/components/schemas/`. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** What goes into the service. Where a component differs from what comes out (defaults), it is named `...Input`. */
  input(schema: z.ZodType): JsonSchema {
    return this.#convert(schema, 'input');
  }

  /** What comes out of the service: fields may be added later, so unknown ones are never forbidden. */
  output(schema: z.ZodType): JsonSchema {
    return this.#convert(schema, 'output');
  }

  /** All components by name, sorted, so that the document does not depend on the order of use. */
  components(): Record<string, JsonSchema> {
    return Object.fromEntries([...this.#components].sort(([left], [right]) => (left < right ? -1 : 1)));
  }

  #convert(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    // Wrapped, so that a schema with an id becomes a component even where it stands at the root.
    const { properties, $defs = {} } = z.toJSONSchema(z.object({ root: schema }), {
      io,
      target: 'draft-2020-12',
      unrepresentable: 'any',
      override: (context) => {
        if (io === 'output') delete context.jsonSchema.additionalProperties;
        const { format, pattern } = context.jsonSchema;
        // zod names its own checks as formats, too (`starts_with`), which no other validator knows; for the real ones
        // its pattern says the same once more, unreadably.
        if (format !== undefined && !FORMATS.has(format)) delete context.jsonSchema.format;
        else if (format !== undefined && pattern !== undefined) delete context.jsonSchema.pattern;
        delete context.jsonSchema.id;
      },
    }) as unknown as { properties: { root: JsonSchema }; $defs?: Record<string, JsonSchema> };
    const names = this.#nameAll($defs, io);
    for (const [id, definition] of Object.entries($defs)) {
      this.#components.set(names.get(id)!, this.#withRefs(definition, names));
    }
    return this.#withRefs(properties.root, names);
  }

  /** Input components are compared with the output ones of the same id, which must have been collected before. */
  #nameAll(definitions: Record<string, JsonSchema>, io: 'input' | 'output'): Map<string, string> {
    const same = new Map(Object.keys(definitions).map((id) => [id, id]));
    if (io === 'output') return same;
    const different = new Set<string>();
    // A component that refers to a different one is different itself; repeated until nothing changes.
    for (let before = -1; before < different.size;) {
      before = different.size;
      const names = new Map(Object.keys(definitions).map((id) => [id, different.has(id) ? `${id}Input` : id]));
      for (const [id, definition] of Object.entries(definitions)) {
        const present = this.#components.get(id);
        if (present === undefined) continue;
        if (JSON.stringify(present) !== JSON.stringify(this.#withRefs(definition, names))) different.add(id);
      }
    }
    return new Map(Object.keys(definitions).map((id) => [id, different.has(id) ? `${id}Input` : id]));
  }

  #withRefs(schema: JsonSchema, names: ReadonlyMap<string, string>): JsonSchema {
    return JSON.parse(
      JSON.stringify(schema, (key, value: unknown) =>
        key === '$ref' && typeof value === 'string'
          ? `${this.#prefix}${names.get(value.replace('#/$defs/', '')) ?? value}`
          : value,
      ),
    ) as JsonSchema;
  }
}
