import { posix } from 'node:path';

/** One entry of `packages` in package-lock.json, as far as it is read here (npm: package-lock.json, lockfileVersion 3). */
export interface LockEntry {
  name?: string;
  version?: string;
  link?: boolean;
  resolved?: string;
  optional?: boolean;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
  [key: string]: unknown;
}

export type LockPackages = Record<string, LockEntry>;

export interface Pruned {
  /** `packages` of the deployable's own lock file; '' is the deployable itself. */
  packages: LockPackages;
  /** Workspace folders that it needs: where they are in the workspace -> where they lie in the deployable. */
  workspace: Map<string, string>;
}

/** Where the workspace's libs lie in a deployable. */
export const workspaceModules = 'workspace_modules';

/**
 * The part of the workspace's lock file that one app needs to run, as a lock file of its own: exactly the versions that
 * were tested, without development packages. Libs of the workspace become `file:` dependencies.
 *
 * Packages are laid out as npm does: at the top where the name is free there, else below the one that needs them.
 */
export function pruneLock(lock: LockPackages, app: string): Pruned {
  const packages: LockPackages = {};
  const workspace = new Map<string, string>();
  /** Path in the deployable -> path in the workspace. */
  const origin = new Map<string, string>([['', app]]);
  const queue: { path: string; optional: boolean }[] = [{ path: '', optional: false }];

  for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
    const { path } = item;
    const source = origin.get(path) as string;
    const entry = entryAt(lock, source);
    const optional = item.optional;
    for (const [name, kind] of needs(entry)) {
      const found = resolve(lock, source, name);
      if (found === undefined) {
        if (kind !== 'needed') continue;
        throw new Error(`package-lock.json: ${source} needs ${name}, which it does not hold; run npm install`);
      }
      const real = realPath(lock, found);
      const place = placeFor(packages, origin, path, name, real);
      const already = packages[place] !== undefined;
      const nowOptional = optional || kind === 'optional';
      if (already) {
        if (!nowOptional && packages[place]?.optional) {
          delete packages[place].optional;
          queue.push({ path: targetOf(packages, place), optional: false });
        }
        continue;
      }
      if (isWorkspaceFolder(real)) {
        const folder = `${workspaceModules}/${entryAt(lock, real).name ?? name}`;
        packages[place] = { resolved: folder, link: true };
        origin.set(place, real);
        if (packages[folder] === undefined) {
          packages[folder] = {};
          origin.set(folder, real);
          workspace.set(real, folder);
          queue.push({ path: folder, optional: nowOptional });
        }
      } else {
        packages[place] = { ...withoutFlags(entryAt(lock, real)), ...(nowOptional ? { optional: true } : {}) };
        origin.set(place, real);
        queue.push({ path: place, optional: nowOptional });
      }
    }
  }
  for (const [source, folder] of workspace)
    packages[folder] = manifestEntry(entryAt(lock, source), folder, workspace, lock);
  packages[''] = manifestEntry(entryAt(lock, app), '', workspace, lock);
  const sorted = Object.fromEntries(Object.entries(packages).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { packages: sorted, workspace };
}

/** `dependencies` with libs of the workspace as `file:` paths, as seen from `folder` of the deployable. */
export function fileDependencies(
  dependencies: Record<string, string> | undefined,
  folder: string,
  libs: ReadonlyMap<string, string>,
): Record<string, string> {
  const entries = Object.entries(dependencies ?? {}).map(([name, range]) => {
    const lib = libs.get(name);
    return [name, lib === undefined ? range : `file:${posix.relative(folder, lib)}`];
  });
  return Object.fromEntries(entries) as Record<string, string>;
}

/** Package name -> folder in the deployable. */
export function libFolders(lock: LockPackages, workspace: ReadonlyMap<string, string>): Map<string, string> {
  return new Map(
    [...workspace].map(([source, folder]) => [entryAt(lock, source).name ?? posix.basename(source), folder]),
  );
}

function manifestEntry(
  entry: LockEntry,
  folder: string,
  workspace: ReadonlyMap<string, string>,
  lock: LockPackages,
): LockEntry {
  const { devDependencies: _left, ...kept } = withoutFlags(entry);
  return { ...kept, dependencies: fileDependencies(entry.dependencies, folder, libFolders(lock, workspace)) };
}

/** The flags tell what an entry is for in the workspace; `optional` is set anew. */
function withoutFlags(entry: LockEntry): LockEntry {
  const { dev: _dev, optional: _optional, devOptional: _devOptional, peer: _peer, ...kept } = entry;
  return kept;
}

function* needs(entry: LockEntry): Generator<[name: string, kind: 'needed' | 'optional' | 'peer']> {
  const optional = entry.optionalDependencies ?? {};
  for (const name of Object.keys(entry.dependencies ?? {})) if (!(name in optional)) yield [name, 'needed'];
  for (const name of Object.keys(optional)) yield [name, 'optional'];
  for (const name of Object.keys(entry.peerDependencies ?? {})) {
    // One that may be absent is only there if something else needs it.
    if (entry.peerDependenciesMeta?.[name]?.optional !== true) yield [name, 'peer'];
  }
}

/** Node's way up the folders: the nearest `node_modules/<name>`. */
function resolve(lock: LockPackages, from: string, name: string): string | undefined {
  for (const folder of upwards(from)) {
    const path = posix.join(folder, 'node_modules', name);
    if (lock[path] !== undefined) return path;
  }
  return undefined;
}

function* upwards(path: string): Generator<string> {
  for (let folder = path; folder !== ''; folder = parentOf(folder)) yield folder;
  yield '';
}

/** The folder whose `node_modules` is looked into next. */
function parentOf(folder: string): string {
  const nested = folder.lastIndexOf('/node_modules/');
  return nested >= 0 ? folder.slice(0, nested) : '';
}

function placeFor(
  packages: LockPackages,
  origin: ReadonlyMap<string, string>,
  from: string,
  name: string,
  real: string,
): string {
  const seen = resolve(packages, from, name);
  if (seen !== undefined && origin.get(seen) === real) return seen;
  const top = `node_modules/${name}`;
  return seen === undefined && packages[top] === undefined ? top : posix.join(from, 'node_modules', name);
}

function targetOf(packages: LockPackages, place: string): string {
  return packages[place]?.link === true ? (packages[place].resolved ?? place) : place;
}

function realPath(lock: LockPackages, path: string): string {
  const entry = lock[path];
  return entry?.link === true && entry.resolved !== undefined ? entry.resolved : path;
}

function isWorkspaceFolder(path: string): boolean {
  return !path.startsWith('node_modules/') && !path.includes('/node_modules/');
}

function entryAt(lock: LockPackages, path: string): LockEntry {
  const entry = lock[path];
  if (entry === undefined) throw new Error(`package-lock.json has no entry ${path}; run npm install`);
  return entry;
}
