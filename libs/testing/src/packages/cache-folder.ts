import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A folder of this user's cache (`$XDG_CACHE_HOME` or ~/.cache), below `keelson/`; made if it is not there. */
export function cacheFolder(...names: string[]): string {
  const base = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const folder = join(base, 'keelson', ...names);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
