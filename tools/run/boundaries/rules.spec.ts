import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { privateFolder, removePrivateFolder } from '@keelson/testing';
import { checkBoundaries } from './check.ts';
import { circle } from './rules.ts';

/** A small workspace on disk: the manifests name what is imported, so that only the boundary itself is broken. */
function workspace(root: string, files: Record<string, string>): void {
  const manifest = (name: string, ...dependencies: string[]): string =>
    JSON.stringify({ name, dependencies: Object.fromEntries(dependencies.map((dependency) => [dependency, '*'])) });
  const all: Record<string, string> = {
    'package.json': manifest('workspace'),
    'apps/orders/package.json': manifest(
      '@keelson/orders',
      '@keelson/billing',
      '@keelson/contracts',
      '@keelson/run',
      '@keelson/testing',
    ),
    'apps/billing/package.json': manifest('@keelson/billing', '@keelson/contracts'),
    'libs/contracts/package.json': manifest('@keelson/contracts', '@keelson/persistence', 'zod'),
    'libs/persistence/package.json': manifest('@keelson/persistence', '@keelson/contracts'),
    'libs/testing/package.json': manifest('@keelson/testing'),
    'tools/run/package.json': manifest('@keelson/run', '@keelson/testing'),
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

describe('module boundaries', () => {
  let root: string;

  beforeEach(() => {
    root = privateFolder('boundaries');
  });

  afterEach(() => removePrivateFolder(root));

  test.each([
    {
      name: 'an app that imports an app',
      file: 'apps/orders/src/a.ts',
      source: `import { invoice } from '@keelson/billing';`,
      text: 'apps/billing is an app, and apps are imported by nobody',
    },
    {
      name: 'an app that reaches into another by path',
      file: 'apps/orders/src/a.ts',
      source: `\nexport * from '../../billing/src/b.ts';`,
      text: 'a file of apps/billing',
    },
    {
      name: 'a lazy import of an app',
      file: 'apps/orders/src/a.ts',
      source: `const b = await import('@keelson/billing');`,
      text: 'apps/billing is an app',
    },
    {
      name: 'a type of an app',
      file: 'apps/orders/src/a.ts',
      source: `let b: import('@keelson/billing').Invoice;`,
      text: 'apps/billing is an app',
    },
    {
      name: 'contracts that import anything of ours',
      file: 'libs/contracts/src/a.ts',
      source: `import '@keelson/persistence';`,
      text: 'libs/contracts may import nothing of ours',
    },
    {
      name: 'a lib that imports a tool',
      file: 'libs/contracts/test/a.spec.ts',
      source: `import '@keelson/run';`,
      text: 'tools/run is a tool',
    },
    {
      name: 'test code that would be shipped',
      file: 'apps/orders/src/a.ts',
      source: `import '@keelson/testing';`,
      text: 'libs/testing is for tests and tools',
    },
    {
      name: 'a package that is not declared',
      file: 'apps/orders/src/a.ts',
      source: `import pg from 'pg';`,
      text: 'apps/orders/package.json does not name: add pg to its dependencies',
    },
  ])('refuse $name', ({ file, source, text }) => {
    workspace(root, { [file]: source });
    const { violations } = checkBoundaries(root);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatchObject({ file, line: source.startsWith('\n') ? 2 : 1 });
    expect(violations[0]?.text).toContain(text);
  });

  test('allow libs to apps, testing to tests and tools, packages that are declared, and files of one’s own', () => {
    workspace(root, {
      'apps/orders/src/a.ts': `import { z } from '@keelson/contracts'; import './b.ts'; import 'node:fs'; // import '@keelson/billing'`,
      'apps/orders/src/a.spec.ts': `import '@keelson/testing';`,
      'tools/run/main.ts': `import '@keelson/testing';`,
      'libs/contracts/src/a.ts': `import { z } from 'zod'; const text = "import '@keelson/billing'";`,
    });
    expect(checkBoundaries(root).violations).toEqual([]);
  });

  test('let a page that is bundled import what is not installed where it is served, and only it', () => {
    const source = `import { createRoot } from 'react-dom/client';`;
    workspace(root, {
      'apps/shop/package.json': JSON.stringify({ name: '@keelson/shop', devDependencies: { 'react-dom': '*' } }),
      'apps/shop/src/web/main.tsx': source,
      'apps/shop/src/server/main.ts': source,
    });
    expect(checkBoundaries(root).violations.map(({ file }) => file)).toEqual(['apps/shop/src/server/main.ts']);
  });

  test('name the projects on a circle', () => {
    const edges = new Map([
      ['a', new Set(['b'])],
      ['b', new Set(['c', 'd'])],
      ['c', new Set<string>()],
      ['d', new Set(['b'])],
    ]);
    expect(circle(edges)).toEqual(['b', 'd', 'b']);
  });
});
