import { readdirSync, readlinkSync } from 'node:fs';

/** The pids of processes whose working directory is `folder`. */
export function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readlinkSync(`/proc/${name}/cwd`) === folder;
      } catch {
        return false; // ended meanwhile, or another user's
      }
    })
    .map(Number);
}
