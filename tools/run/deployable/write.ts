import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileDependencies, libFolders, type LockPackages, pruneLock } from './lock.ts';

interface Manifest {
  name: string;
  version: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  bin?: string | Record<string, string>;
  [key: string]: unknown;
}

/** Node from this version on: the one the workspace is tested with, and the oldest that its packages take. */
const engines = { node: '>=22.19' };

/**
 * Writes dist/apps/<name>: the app's compiled files at the top, the libs it needs, and a package.json and lock file for
 * exactly these, so that `npm ci --omit=dev && node main.js` works there, outside of the workspace. Returns the folder,
 * `target`. The app and its libs must have been built.
 */
export function writeDeployable(root: string, name: string, target = join(root, 'dist/apps', name)): string {
  const app = `apps/${name}`;
  const built = join(root, app, 'dist');
  if (!existsSync(join(built, 'main.js'))) {
    throw new Error(`${app}/dist/main.js is not there: run npx nx build ${name} first (nx deployable ${name} does)`);
  }
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: LockPackages };
  const { packages, workspace } = pruneLock(lock.packages, app);
  const libs = libFolders(lock.packages, workspace);
  const fresh = `${target}.${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  copyCompiled(built, fresh);

  const manifest = manifestOf(join(root, app));
  const { name: packageName, version, license, description } = manifest;
  writeJson(join(fresh, 'package.json'), {
    name: packageName,
    version,
    description,
    private: true,
    license,
    type: 'module',
    main: './main.js',
    ...(manifest.bin === undefined ? {} : { bin: withoutDist(manifest.bin) }),
    engines,
    dependencies: fileDependencies(manifest.dependencies, '', libs),
    optionalDependencies: manifest.optionalDependencies,
  });
  for (const [source, folder] of workspace) {
    const lib = manifestOf(join(root, source));
    copyCompiled(join(root, source, 'dist'), join(fresh, folder, 'dist'));
    const { devDependencies: _development, ...kept } = lib;
    writeJson(join(fresh, folder, 'package.json'), {
      ...kept,
      dependencies: fileDependencies(lib.dependencies, folder, libs),
    });
  }
  const own = packages[''];
  if (own !== undefined)
    Object.assign(own, {
      main: './main.js',
      engines,
      bin: manifest.bin === undefined ? undefined : withoutDist(manifest.bin),
    });
  writeJson(join(fresh, 'package-lock.json'), {
    name: packageName,
    version,
    lockfileVersion: 3,
    requires: true,
    packages,
  });
  rmSync(target, { recursive: true, force: true });
  renameSync(fresh, target);
  return target;
}

/** The names of the apps that are shipped: those that have a main.ts. */
export function deployableApps(root: string): string[] {
  return readdirSync(join(root, 'apps')).filter((name) => existsSync(join(root, 'apps', name, 'src/main.ts')));
}

/** Without declarations, which nobody reads there; with source maps, for readable stack traces. */
function copyCompiled(from: string, to: string): void {
  if (!existsSync(from)) throw new Error(`${from} is not there: build it first`);
  mkdirSync(to, { recursive: true });
  cpSync(from, to, { recursive: true, filter: (path) => !/\.d\.ts(?:\.map)?$/.test(basename(path)) });
}

function withoutDist(bin: string | Record<string, string>): string | Record<string, string> {
  const cut = (path: string): string => path.replace(/^(\.\/)?dist\//, './');
  return typeof bin === 'string'
    ? cut(bin)
    : Object.fromEntries(Object.entries(bin).map(([name, path]) => [name, cut(path)]));
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}
