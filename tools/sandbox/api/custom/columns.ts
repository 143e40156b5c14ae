import type { Json, JsonObject } from '../json.ts';
import { humanDuration, nameColumn } from '../kinds/columns.ts';
import type { Column } from '../kinds/strategy.ts';

type Step = { field: string } | { index: number } | { all: true } | { where: { field: string[]; equals: Json } };

/** Parses the JSONPath that printer columns use: `.a.b`, `['a.b']`, `[0]`, `[*]`, `[?(@.type=="Ready")]`. */
export function parseJsonPath(text: string): Step[] {
  const steps: Step[] = [];
  const pattern =
    /\.([\w$-](?:[^.[\\]|\\.)*)|\[\?\(@((?:\.[\w-]+)+)\s*==\s*(?:"([^"]*)"|'([^']*)'|([\w.]+))\)\]|\[(\d+)\]|\[\*\]|\.\*|\['([^']+)'\]/y;
  const source = text.startsWith('.') || text.startsWith('[') ? text : `.${text}`;
  while (pattern.lastIndex < source.length) {
    const start = pattern.lastIndex;
    const m = pattern.exec(source);
    if (!m)
      throw new Error(`cannot read the JSONPath ${JSON.stringify(text)} at ${JSON.stringify(source.slice(start))}`);
    if (m[1] !== undefined) steps.push({ field: m[1].replaceAll('\\', '') });
    else if (m[2] !== undefined) {
      const raw = m[3] ?? m[4];
      const equals = raw ?? JSON.parse(m[5] as string);
      steps.push({ where: { field: m[2].split('.').slice(1), equals } });
    } else if (m[6] !== undefined) steps.push({ index: Number(m[6]) });
    else if (m[7] !== undefined) steps.push({ field: m[7] });
    else steps.push({ all: true });
  }
  return steps;
}

const dig = (value: Json, path: string[]): Json => path.reduce((node: Json, key) => node?.[key], value);

/** All values that the path leads to. */
export function evaluateJsonPath(steps: Step[], root: Json): Json[] {
  let found: Json[] = [root];
  for (const step of steps) {
    found = found.flatMap((value) => {
      if ('field' in step) return value?.[step.field] === undefined ? [] : [value[step.field]];
      if ('index' in step) return value?.[step.index] === undefined ? [] : [value[step.index]];
      const all: Json[] = Array.isArray(value) ? value : Object.values((value ?? {}) as JsonObject);
      return 'all' in step ? all : all.filter((item) => dig(item, step.where.field) === step.where.equals);
    });
  }
  return found;
}

function cell(found: Json[], type: string, now: Date): Json {
  const [value] = found;
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'date':
      return Number.isNaN(Date.parse(value)) ? '<invalid>' : humanDuration(now.getTime() - Date.parse(value));
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    default:
      return found.length > 1 ? found.map(text).join(' ') : text(value);
  }
}

const text = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

const ageColumn: Column = {
  name: 'Age',
  type: 'date',
  value: (o, now) => humanDuration(now.getTime() - Date.parse(o.metadata.creationTimestamp)),
};

/** The Table columns of a custom resource: its name, then additionalPrinterColumns, or its age. */
export function printerColumns(columns: Json[] | undefined): Column[] {
  if (!columns?.length) return [nameColumn, ageColumn];
  return [
    nameColumn,
    ...columns.map(({ name, type, format, priority, description, jsonPath }): Column => {
      const steps = parseJsonPath(jsonPath);
      return {
        name,
        type,
        ...(format ? { format } : {}),
        ...(priority ? { priority } : {}),
        ...(description ? { description } : {}),
        value: (object, now) => cell(evaluateJsonPath(steps, object), type, now),
      };
    }),
  ];
}
