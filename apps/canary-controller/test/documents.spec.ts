import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { canariesApi, canarySpecSchema, catalogue, decisionSchema } from '@keelson/contracts';
import { canaryCustomResourceDefinition, type CanaryResource } from '@keelson/kubernetes';
import { parse } from 'yaml';
import { z } from 'zod';
import { configSchema } from '../src/config.ts';
import { canaryStatus } from '../src/reconcile/status.ts';
import { aState } from '../src/release/release.builder.ts';

const root = join(import.meta.dirname, '..');
const document = (name: string): Promise<string> => readFile(join(root, '../../docs/canary-controller', name), 'utf8');

/** The rows of the tables whose first heading begins so, each as its cells. */
function table(text: string, heading: string): string[][] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${heading}`));
  if (start < 0) throw new Error(`there is no table with the heading ${heading}`);
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const coded = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);

type Schema = { properties?: Record<string, Schema>; items?: Schema; type?: string; default?: unknown };

/** Every leaf of a JSON Schema as `a.b` or `a[].b`, with its default. */
function leaves(schema: Schema, at = '', given?: unknown): Map<string, unknown> {
  const fallback = schema.default ?? given;
  const found = new Map<string, unknown>();
  if (schema.properties) {
    for (const [name, child] of Object.entries(schema.properties)) {
      const inherited = (fallback as Record<string, unknown> | undefined)?.[name];
      for (const [path, value] of leaves(child, at === '' ? name : `${at}.${name}`, inherited)) found.set(path, value);
    }
  } else if (schema.items?.properties) {
    for (const [path, value] of leaves(schema.items, `${at}[]`)) found.set(path, value);
  } else found.set(at, fallback);
  return found;
}

describe('the documents say what the code does', () => {
  test('every variable of this service stands in the table with its default, and no other', async () => {
    const rows = table(await document('configuration.md'), 'variable');
    const own = Object.keys(configSchema.shape);
    const base = ['HOST', 'PORT', 'READY_FILE', 'DATABASE_URL', 'TOKENS_FILE', 'LOG_LEVEL', 'CONFIG_FILE'];
    const general = /^(AMQP_|OTEL_|BODY_|REQUEST_|RATE_|DRAIN_|SHUTDOWN_)/;
    const described = rows.map(([name]) => coded(name!)[0]!);
    expect(described.toSorted()).toEqual(own.filter((name) => !base.includes(name) && !general.test(name)).toSorted());
    const made = configSchema.parse({
      DATABASE_URL: 'postgres://u:p@h/d',
      AMQP_URL: 'amqp://u:p@h',
      PROMETHEUS_URL: 'http://prometheus:9090',
      EVENTS_URL: 'http://event-relay',
      SERVICE_TOKEN: 'x'.repeat(16),
    }) as Record<string, unknown>;
    for (const [name, fallback] of rows) {
      const [code] = coded(fallback!);
      if (code !== undefined) expect(String(made[coded(name!)[0]!])).toBe(code);
    }
  });

  test('every operation with its scope, and every problem with its status', async () => {
    const text = await document('api.md');
    const operations = table(text, 'operation').map(([operation, scope]) => [coded(operation!)[0], coded(scope!)[0]]);
    expect(new Set(operations.map(String))).toEqual(
      new Set(Object.values(canariesApi.endpoints).map(({ method, path, scope }) => `${method} ${path},${scope}`)),
    );
    const problems = new Map(table(text, 'problem').map(([code, status]) => [coded(code!)[0], Number(status)]));
    for (const [code, { status }] of Object.entries(canariesApi.problems ?? {}))
      expect(problems.get(code)).toBe(status);
  });

  test('every field of the resource with its default, and no other', async () => {
    const rows = table(await document('api.md'), 'field of `spec`');
    const described = new Map(rows.flatMap(([fields, fallback]) => coded(fields!).map((field) => [field, fallback!])));
    const schema = z.toJSONSchema(canarySpecSchema, { io: 'input' }) as Schema & { $defs?: Record<string, Schema> };
    const actual = leaves(schema.$defs?.['CanarySpec'] ?? schema);
    expect([...described.keys()].toSorted()).toEqual([...actual.keys()].toSorted());
    for (const [field, fallback] of described) {
      const words = fallback === '' ? undefined : fallback === 'none' ? '[]' : coded(fallback)[0];
      const value = actual.get(field);
      expect({ field, fallback: typeof value === 'string' ? value : JSON.stringify(value) }).toEqual({
        field,
        fallback: words,
      });
    }
  });

  test('every condition with the phases in which it is true, and every column of kubectl', async () => {
    const text = await document('api.md');
    const described = new Map(table(text, 'condition').map(([type, phases]) => [coded(type!)[0], coded(phases!)]));
    const phases = canariesApi.endpoints.listCanaries.query.shape.phase.unwrap().options;
    const canary = { metadata: { generation: 1 } } as CanaryResource;
    const actual = new Map<string, string[]>();
    for (const phase of phases) {
      for (const { type, status } of canaryStatus(canary, aState({ phase })).conditions!) {
        actual.set(type, [...(actual.get(type) ?? []), ...(status === 'True' ? [phase] : [])]);
      }
    }
    expect(new Set(described.keys())).toEqual(new Set(actual.keys()));
    for (const [type, trueIn] of actual) expect(new Set(described.get(type))).toEqual(new Set(trueIn));
    const columns = canaryCustomResourceDefinition.spec.versions[0]!.additionalPrinterColumns!.map(({ name }) => name);
    for (const column of columns) expect(text).toContain(column.toUpperCase());
    const readme = table(await document('README.md'), 'phase').map(([phase]) => coded(phase!)[0]);
    expect(new Set(readme)).toEqual(new Set(phases));
  });

  test('every act of a decision, and the messages that go with it', async () => {
    const rows = table(await document('api.md'), 'act');
    expect(rows.map(([act]) => coded(act!)[0]!).toSorted()).toEqual(decisionSchema.shape.act.options.toSorted());
    const told = rows.flatMap(([, , message]) => coded(message!));
    const known = Object.keys(catalogue).filter((key) => key.startsWith('canary.'));
    expect(told.toSorted()).toEqual(known.toSorted());
  });

  test('every metric is named, and no other', async () => {
    const text = await document('operations.md');
    const sources = (await readdir(join(root, 'src'), { recursive: true })).filter((name) => name.endsWith('.ts'));
    const code = (await Promise.all(sources.map((name) => readFile(join(root, 'src', name), 'utf8')))).join('\n');
    const defined = new Set([...code.matchAll(/name: '(keelson_[a-z_]+)'/g)].map(([, name]) => name!));
    const described = new Set([...text.matchAll(/`(keelson_[a-z_]+)/g)].map(([, name]) => name!));
    expect([...described].toSorted()).toEqual([...defined].toSorted());
  });

  test('the folders are those that there are', async () => {
    const rows = table(await document('README.md'), 'folder').map(([folder]) => coded(folder!)[0]!.replace('/', ''));
    const folders = (await readdir(join(root, 'src'), { withFileTypes: true })).filter((entry) => entry.isDirectory());
    expect(rows.toSorted()).toEqual(folders.map(({ name }) => name).toSorted());
  });

  test('the example of the guide is a Canary that the service takes', async () => {
    const yaml = /```yaml\n([\s\S]+?)```/.exec(await document('README.md'))![1]!;
    const { kind, spec } = parse(yaml) as { kind: string; spec: unknown };
    expect(kind).toBe('Canary');
    expect(() => canarySpecSchema.parse(spec)).not.toThrow();
  });
});
