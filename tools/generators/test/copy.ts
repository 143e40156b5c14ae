import { privateFolder } from '@keelson/testing';
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const LEFT_OUT = new Set(['node_modules', 'dist', '.git', '.nx', '.keelson']);

/**
 * A copy of the workspace that may be changed: sources as they are, packages as links to the installed ones, and links of
 * its own for the workspace's packages, which would lead back to the original otherwise.
 */
export function copyOfWorkspace(): string {
  const copy = join(privateFolder('workspace'), 'keelson');
  cpSync(root, copy, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
  const packages = join(copy, 'node_modules');
  mkdirSync(join(packages, '@keelson'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== '@keelson' && name !== '.cache') symlinkSync(join(root, 'node_modules', name), join(packages, name));
  }
  for (const parent of ['apps', 'libs', 'tools'])
    for (const name of readdirSync(join(copy, parent))) {
      symlinkSync(`../../${parent}/${name}`, join(packages, '@keelson', name === 'generators' ? 'tools' : name));
      // What a project has in another version than the others.
      const own = join(parent, name, 'node_modules');
      if (existsSync(join(root, own))) symlinkSync(join(root, own), join(copy, own));
    }
  return copy;
}
