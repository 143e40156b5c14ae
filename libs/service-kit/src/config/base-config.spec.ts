import { readFileSync } from 'node:fs';
import { baseShape } from './base-config.ts';

const page = readFileSync(new URL('../../../../docs/service-kit.md', import.meta.url), 'utf8');

test('the documentation names every variable with its default, and no other', () => {
  const rows = [...page.matchAll(/^\| ((?:`[A-Z_]+`(?:, )?)+) +\| ([^|]*?) +\|/gm)].flatMap(([, names, defaults]) => {
    const values = defaults!.split(', ');
    return [...names!.matchAll(/`([A-Z_]+)`/g)].map(([, name], at) => [name!, values[at] ?? ''] as const);
  });
  const known = Object.entries(baseShape).map(([name, schema]) => {
    const result = schema.safeParse(undefined);
    return [name, String((result.success ? result.data : undefined) ?? '')] as const;
  });
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(known));
});
