import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const src = join(import.meta.dirname, '../src');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !name.includes('.spec.'),
);

test('the contracts run in a browser: nothing of Node is imported', () => {
  const imports = files.flatMap((name) =>
    [...readFileSync(join(src, name), 'utf8').matchAll(/from '([^'.][^']*)'/g)].map(([, from]) => `${name}: ${from}`),
  );
  expect(imports.filter((line) => !line.endsWith(': zod'))).toEqual([]);
});
