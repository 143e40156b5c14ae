import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settings } from './settings.ts';

const page = readFileSync(join(import.meta.dirname, '../../../../docs/order-demo/configuration.md'), 'utf8');
const rows = [...page.matchAll(/^\| `([A-Z_]+)`\s*\| `([^`]*)`\s*\|/gm)].map(
  ([, name, value]) => [name!, value!] as const,
);
const own = Object.keys(settings.shape).slice(Object.keys(settings.shape).indexOf('ROLE'));

test('every setting of order-demo stands in docs/order-demo/configuration.md, and nothing else does', () => {
  const documented = rows.map(([name]) => name).filter((name) => name !== 'RATE_LIMIT_PER_SECOND');
  expect(documented.sort()).toEqual(own.filter((name) => name !== 'RATE_LIMIT_PER_SECOND').sort());
});

test.each(rows)('the documented default of %s is the real one: %s', (name, value) => {
  const schema = settings.shape[name as keyof typeof settings.shape];
  expect(String(schema.parse(undefined))).toBe(value);
});
