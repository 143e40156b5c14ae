import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Identity, isDead, ownIdentity } from '../processes/identity.ts';

const prefix = 'keelson-';

/** Environment variable that names the process which started this one: the sweep finds orphans by it. */
export const ownerVariable = 'KEELSON_OWNER';

const ours = new Set<string>();
let prepared = false;

/**
 * A fresh folder below the system's temporary folder, for this process alone (mode 0700). Its name carries the
 * identity of its owner, so that a later run can remove it if this one is killed; a normal exit removes it.
 */
export function privateFolder(name: string): string {
  if (!prepared) {
    prepared = true;
    sweepLeftovers();
    process.once('exit', () => ours.forEach((folder) => rmSync(folder, { recursive: true, force: true })));
  }
  const folder = mkdtempSync(join(tmpdir(), `${prefix}${ownIdentity()}-${name}-`));
  ours.add(folder);
  return folder;
}

/** Removes a folder that `privateFolder` gave. */
export function removePrivateFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  ours.delete(folder);
}

/** What a sweep found and removed. */
export interface Swept {
  folders: string[];
  pids: number[];
}

/**
 * Ends the processes and removes the folders of runs that were killed. Processes started by a run die with it
 * (pdeathsig); the kill here is for the moment between fork and prctl, when that does not hold yet.
 */
export function sweepLeftovers(parent = tmpdir()): Swept {
  const swept: Swept = { folders: [], pids: [] };
  const folders = readdirSync(parent).flatMap((name) => {
    const owner = /^keelson-(\d+-\d+-\d+)-/.exec(name)?.[1];
    return owner !== undefined && isDead(owner) ? [{ owner, path: join(parent, name) }] : [];
  });
  if (folders.length === 0) return swept;
  for (const pid of processesOwnedBy(new Set(folders.map(({ owner }) => owner)))) {
    try {
      process.kill(pid, 'SIGKILL');
      swept.pids.push(pid);
    } catch {
      // It ended meanwhile, or belongs to another user, who sweeps it.
    }
  }
  for (const { path } of folders) {
    try {
      rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
      swept.folders.push(path);
    } catch {
      // Another user's, or another run sweeps it at the same moment.
    }
  }
  return swept;
}

function processesOwnedBy(owners: Set<Identity>): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid)
    .filter((pid) => {
      try {
        const owner = readFileSync(`/proc/${pid}/environ`, 'utf8')
          .split('\0')
          .find((entry) => entry.startsWith(`${ownerVariable}=`));
        return owner !== undefined && owners.has(owner.slice(ownerVariable.length + 1));
      } catch {
        return false; // ended, or another user's
      }
    });
}
