// Plain JavaScript for Node 20: it runs before there are packages.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * What node_modules lacks of package-lock.json, in words, or undefined where it lacks nothing.
 *
 * npm writes node_modules/.package-lock.json when an installation is complete, so an interrupted one is seen. A stamp
 * with the lock file's hash spares the comparison of the two.
 */
export function missingPackages(root) {
  const text = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const hash = createHash('sha256').update(text).digest('hex');
  const installedFile = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installedFile)) return 'not installed yet';
  const stamp = join(root, 'node_modules/.cache/keelson/package-lock.sha256');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return undefined;
  const difference = differenceOf(JSON.parse(text).packages, JSON.parse(readFileSync(installedFile, 'utf8')).packages);
  if (difference !== undefined) return difference;
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
  return undefined;
}

/** Packages of other machines are optional, and may be absent. */
export function differenceOf(wanted, installed) {
  for (const [path, { version, integrity, optional, link }] of Object.entries(wanted)) {
    if (!path.includes('node_modules/') || link) continue;
    const found = installed[path];
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    if (found === undefined) {
      if (optional) continue;
      return `${name} ${version} is missing`;
    }
    if (found.version !== version) return `${name} is ${found.version}, the lock file says ${version}`;
    if (integrity && found.integrity && found.integrity !== integrity) return `${name} ${version} is another file`;
  }
  return undefined;
}
