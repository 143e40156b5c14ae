import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import type { Import } from './imports.ts';
import type { Project } from './projects.ts';

export interface Violation {
  file: string;
  line: number;
  /** What is wrong and the way out. */
  text: string;
}

/** What a lib may import of ours. Apps may import any lib; the tools, which start everything, too. */
const libsOfLib: Record<string, readonly string[]> = {
  contracts: [],
  testing: [],
  kubernetes: ['contracts'],
  persistence: ['contracts'],
  'service-kit': ['contracts'],
  messaging: ['contracts', 'persistence', 'service-kit'],
};

export interface Workspace {
  projects: readonly Project[];
  /** Packages of the root's package.json, which tests and settings may use. */
  rootPackages: ReadonlySet<string>;
}

/** Whether a file is not shipped: tests, their fixtures, and settings of tools. */
export function isTest(file: string): boolean {
  return /\.spec\.tsx?$|\/test[^/]*\/|\/[^/]+\.config\.[cm]?[jt]s$/.test(file);
}

/** Whether a file is part of a page, which the build bundles whole: what it imports is not installed where it is served. */
const isBundled = (file: string): boolean => /^apps\/[^/]+\/src\/web\//.test(file);

/** Checks one import against the module boundaries; undefined where it is allowed. */
export function check(
  { projects, rootPackages }: Workspace,
  { file, line, specifier, typeOnly }: Import,
): Violation | undefined {
  const from = projects.find(({ folder }) => file.startsWith(`${folder}/`));
  if (from === undefined) return undefined;
  const violation = (text: string): Violation => ({ file, line, text });

  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(file), specifier);
    const owner = projects.find(({ folder }) => target.startsWith(`${folder}/`));
    if (owner === undefined || owner === from) return undefined;
    return violation(
      `imports ${specifier}, a file of ${owner.folder}. Import it by name: ${owner.packageName}, as far as it may be`,
    );
  }
  if (isBuiltin(specifier)) return undefined;
  const packageName = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  const owner = projects.find((project) => project.packageName === packageName);
  if (owner !== undefined && owner !== from) {
    const refused = refusal(from, owner, isTest(file));
    if (refused !== undefined) return violation(`imports ${specifier}. ${refused}`);
  }
  if (owner === from) return undefined;
  const declared =
    from.dependencies.has(packageName) ||
    ((isTest(file) || isBundled(file) || typeOnly || from.kind === 'tool') &&
      (from.devDependencies.has(packageName) || rootPackages.has(packageName)));
  // A type may come from the declarations of a package: @types/pg stands for pg.
  const types = typeOnly && from.devDependencies.has(`@types/${packageName}`);
  if (declared || types) return undefined;
  const where = isTest(file) || isBundled(file) ? 'devDependencies' : 'dependencies';
  return violation(
    `imports ${specifier}, which ${from.folder}/package.json does not name: add ${packageName} to its ${where}`,
  );
}

function refusal(from: Project, to: Project, inTest: boolean): string | undefined {
  if (to.kind === 'app') {
    return `${to.folder} is an app, and apps are imported by nobody: put what both need into a lib, or talk to it over HTTP or messages`;
  }
  if (to.kind === 'tool')
    return `${to.folder} is a tool, and tools are imported by nobody: start it as a process, or make it a lib`;
  if (to.name === 'testing') {
    if (inTest || from.kind === 'tool') return undefined;
    return 'libs/testing is for tests and tools: it must not be shipped';
  }
  if (from.kind !== 'lib') return undefined;
  const allowed = libsOfLib[from.name];
  if (allowed === undefined)
    return `${from.folder} has no rule yet: say in tools/run/boundaries/rules.ts what it may import`;
  if (allowed.includes(to.name)) return undefined;
  const may = allowed.length === 0 ? 'nothing of ours' : allowed.map((name) => `libs/${name}`).join(', ');
  return `${from.folder} may import ${may}`;
}

/** A circle among projects, as the folders on it, or undefined where there is none. */
export function circle(edges: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): string[] | undefined => {
    const seen = path.indexOf(node);
    if (seen >= 0) return [...path.slice(seen), node];
    if (done.has(node)) return undefined;
    for (const next of edges.get(node) ?? []) {
      const found = visit(next, [...path, node]);
      if (found !== undefined) return found;
    }
    done.add(node);
    return undefined;
  };
  for (const node of edges.keys()) {
    const found = visit(node, []);
    if (found !== undefined) return found;
  }
  return undefined;
}
