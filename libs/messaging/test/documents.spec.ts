import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const page = (name: string): Promise<string> => readFile(join(root, '../../docs/messaging', name), 'utf8');
const source = (name: string): Promise<string> => readFile(join(root, 'src', name), 'utf8');

/** The names of an interface's fields, as its source says. */
function fieldsOf(text: string, name: string): string[] {
  const start = text.search(new RegExp(`^export interface ${name}\\b`, 'm'));
  const body = text.slice(start, text.indexOf('\n}', start));
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, field]) => field!);
}

/** The first cells, in code, of the first table below `after` whose header begins with `header`. */
function rowsOf(text: string, header: string, after = ''): string[] {
  const from = text.indexOf(`\n| ${header} `, text.indexOf(after));
  expect(from).toBeGreaterThanOrEqual(0);
  const table = text.slice(from + 1).split('\n\n')[0]!;
  return [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name!).filter((name) => header !== `\`${name}\``);
}

describe('the documents say what the code does', () => {
  test.each([
    { page: 'publishing.md', header: 'option', after: '## Options of', file: 'options.ts', type: 'MessagingOptions' },
    { page: 'publishing.md', header: 'option', after: '', file: 'options.ts', type: 'PublishOptions' },
    { page: 'consuming.md', header: 'option', after: '', file: 'consume/subscription.ts', type: 'SubscribeOptions' },
    {
      page: 'retries-and-parking.md',
      header: '`retry`',
      after: '',
      file: 'consume/retry-policy.ts',
      type: 'RetryPolicy',
    },
  ])('$page names every field of $type, and no other', async ({ page: name, header, after, file, type }) => {
    const fields = fieldsOf(await source(file), type);
    expect(fields.length).toBeGreaterThan(3);
    expect(rowsOf(await page(name), header, after).toSorted()).toEqual(fields.toSorted());
  });

  test('publishing.md names every error with its code and class, and no other', async () => {
    const described = [...(await page('publishing.md')).matchAll(/^\| `([a-z-]+)` +\| `(\w+Error)`/gm)];
    const defined = [
      ...(await source('errors.ts')).matchAll(/readonly name = '(\w+)';\n {2}readonly code = '([a-z-]+)'/g),
    ];
    expect(described.map(([, code, name]) => `${code} ${name}`).toSorted()).toEqual(
      defined.map(([, name, code]) => `${code} ${name}`).toSorted(),
    );
  });

  test('operations.md names every metric with its labels, and no other', async () => {
    const described = [
      ...(await page('operations.md')).matchAll(/^\| `((?:messaging|keelson)_[a-z_]+)` +\| ([a-z, ]*)\|/gm),
    ];
    const code = await source('observe/instruments.ts');
    const defined = [...code.matchAll(/(?:counter|gauge|histogram)\(\s*'([a-z_]+)',\s*'[^']*'((?:,\s*'[a-z]+')*)/g)];
    const line = (name: string, labels: string): string => `${name} ${labels.replaceAll(/[^a-z,]/g, '')}`;
    expect(described.map(([, name, labels]) => line(name!, labels!)).toSorted()).toEqual(
      defined.map(([, name, labels]) => line(name!, labels!.replace(/^,/, ''))).toSorted(),
    );
  });

  test('known-problems.md names for each problem tests that are there, by title and file', async () => {
    const [, ...problems] = (await page('known-problems.md')).split('\n## ');
    expect(problems.length).toBeGreaterThanOrEqual(10);
    for (const problem of problems) {
      const named = [...problem.matchAll(/^- "(.+)" in `(libs\/messaging\/test\/[\w-]+\.spec\.ts)`$/gm)];
      expect([problem.split('\n')[0], named.length]).not.toEqual([expect.anything(), 0]);
      expect(named).toHaveLength(problem.split('\n- ').length - 1);
      for (const [, title, file] of named) {
        const spec = await readFile(join(root, '../..', file!), 'utf8');
        expect([title, spec.includes(`test('${title}',`)]).toEqual([title, true]);
      }
    }
  });

  test('every test that a page names is there', async () => {
    const pages = (await readdir(join(root, '../../docs/messaging'))).filter((name) => name.endsWith('.md'));
    const texts = await Promise.all([...pages.map(page), readFile(join(root, 'README.md'), 'utf8')]);
    const named = new Set(
      texts.flatMap((text) =>
        [...text.matchAll(/libs\/messaging\/test\/([\w-]+\.spec\.ts)/g)].map(([, name]) => name!),
      ),
    );
    const there = await readdir(join(root, 'test'));
    expect([...named].filter((name) => !there.includes(name))).toEqual([]);
    expect(named.size).toBeGreaterThan(10);
  });
});
