import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAGES } from '../src/pages.ts';
import { configSchema } from '../src/server/config.ts';

const document = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../../../docs/console', name), 'utf8');

describe('the documents say what the code does', () => {
  test('every variable stands in the table with its default, and no other', () => {
    const rows = [...document('configuration.md').matchAll(/^\| `([A-Z_]+)` +\| ([^|]*?) +\|/gm)].map(
      ([, name, value]) => [name!, value!.replaceAll('`', '')] as const,
    );
    const known = Object.entries(configSchema.shape).map(([name, schema]) => {
      const result = schema.safeParse(undefined);
      const value = result.success ? (result.data ?? '') : '';
      return [name, Array.isArray(value) ? 'none' : String(value)] as const;
    });
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(known));
  });

  test('every page is named by its address', () => {
    const text = document('README.md');
    for (const pattern of Object.values(PAGES))
      expect(text).toContain(`| \`${pattern.replaceAll(/:(\w+)/g, (_, name: string) => name.toUpperCase())}\``);
  });

  test('the headers that are passed on are the ones that are named', () => {
    const text = document('operations.md');
    const source = readFileSync(join(import.meta.dirname, '../src/server/pass-on.ts'), 'utf8');
    const lists = [...source.matchAll(/const (?:REQUEST|RESPONSE)_HEADERS = \[([^\]]+)\]/g)];
    expect(lists).toHaveLength(2);
    const names = lists.flatMap(([, list]) => [...list!.matchAll(/'([^']+)'/g)].map(([, name]) => name!));
    const inWords: Record<string, string> = { 'content-length': 'length' };
    const missing = names.filter((name) => !text.includes(inWords[name] ?? `\`${name}\``));
    expect(missing.filter((name) => name !== 'content-type')).toEqual([]);
  });
});
