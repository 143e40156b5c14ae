import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Kind = 'app' | 'lib' | 'tool';

/** A project of the workspace, as its folder and package.json tell. */
export interface Project {
  kind: Kind;
  /** Its folder's name: "cert-service". */
  name: string;
  /** Relative to the root: "apps/cert-service". */
  folder: string;
  /** Its package's name: "@keelson/cert-service". */
  packageName: string;
  /** Packages that it may import where it runs. */
  dependencies: ReadonlySet<string>;
  /** Packages that its tests and settings may import, too. */
  devDependencies: ReadonlySet<string>;
}

const kinds: Record<string, Kind> = { apps: 'app', libs: 'lib', tools: 'tool' };

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** The projects of the workspace at `root`, sorted by folder. */
export function projectsOf(root: string): Project[] {
  return Object.entries(kinds).flatMap(([parent, kind]) =>
    (existsSync(join(root, parent)) ? readdirSync(join(root, parent)) : [])
      .filter((name) => existsSync(join(root, parent, name, 'package.json')))
      .toSorted()
      .map((name) => {
        const folder = `${parent}/${name}`;
        const manifest = manifestOf(join(root, folder));
        return {
          kind,
          name,
          folder,
          packageName: manifest.name,
          dependencies: new Set([
            ...Object.keys(manifest.dependencies ?? {}),
            ...Object.keys(manifest.optionalDependencies ?? {}),
            ...Object.keys(manifest.peerDependencies ?? {}),
          ]),
          devDependencies: new Set(Object.keys(manifest.devDependencies ?? {})),
        };
      }),
  );
}

/** The packages that the workspace itself has: test runner, compilers. */
export function rootPackages(root: string): ReadonlySet<string> {
  const { dependencies, devDependencies, optionalDependencies } = manifestOf(root);
  return new Set([dependencies, devDependencies, optionalDependencies].flatMap((part) => Object.keys(part ?? {})));
}
