import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from '@swc/core';

export interface Import {
  /** Relative to the workspace's root. */
  file: string;
  line: number;
  /** As it is written: "./x.ts", "@keelson/contracts", "node:fs". */
  specifier: string;
  /** Whether it is gone once types are stripped. */
  typeOnly: boolean;
}

const skipped = new Set(['node_modules', 'dist', 'coverage', 'fixtures']);

/** The source files of a folder, relative to the workspace's root. */
export function sourceFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => !skipped.has(name) && !name.startsWith('.'))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return sourceFiles(root, path);
      return /\.(?:[cm]?[jt]s|[jt]sx)$/.test(entry.name) ? [path] : [];
    });
}

interface Node {
  type?: string;
  [key: string]: unknown;
}

/** Everything a file imports: import and export declarations, `import()`, `require()` and types by `import('...')`. */
export function importsOf(root: string, file: string): Import[] {
  const source = readFileSync(join(root, file), 'utf8');
  const script = /\.[cm]?jsx?$/.test(file);
  const options = script
    ? ({ syntax: 'ecmascript', jsx: file.endsWith('x') } as const)
    : ({ syntax: 'typescript', tsx: file.endsWith('x'), decorators: true } as const);
  const found: Import[] = [];
  const add = (specifier: string, typeOnly: boolean): void => {
    found.push({ file, line: lineOf(source, specifier), specifier, typeOnly });
  };
  walk(parseSync(source, { ...options, target: 'esnext' }) as unknown as Node, (node) => {
    const value = (node['source'] as { value?: unknown } | null | undefined)?.value;
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
      case 'ExportNamedDeclaration':
        if (typeof value === 'string') add(value, node['typeOnly'] === true);
        return;
      case 'CallExpression': {
        const callee = node['callee'] as Node;
        const [first] = node['arguments'] as { expression?: Node }[];
        const called = callee.type === 'Import' || (callee.type === 'Identifier' && callee['value'] === 'require');
        if (called && first?.expression?.type === 'StringLiteral') add(first.expression['value'] as string, false);
        return;
      }
      case 'TsImportType':
        add((node['argument'] as { value: string }).value, true);
        return;
      default:
    }
  });
  return found;
}

function walk(node: Node, visit: (node: Node) => void): void {
  if (typeof node.type === 'string') visit(node);
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) value.forEach((item) => isNode(item) && walk(item, visit));
    else if (isNode(value)) walk(value, visit);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null;
}

/** The line on which a specifier is quoted first: swc's positions count over all files parsed in one process. */
function lineOf(source: string, specifier: string): number {
  const at = ["'", '"', '`']
    .map((quote) => source.indexOf(`${quote}${specifier}${quote}`))
    .filter((index) => index >= 0);
  return at.length === 0 ? 1 : source.slice(0, Math.min(...at)).split('\n').length;
}
