import { execFileSync, spawnSync } from 'node:child_process';

/** How PostgreSQL's programs are run: they refuse to run as root. */
export interface RunAs {
  /** Put in front of the command. */
  enter: readonly string[];
  /** Gives a folder to the user that the programs run as. */
  own(folder: string): void;
}

let chosen: RunAs | undefined;

/**
 * Root gets a user namespace in which it is `nobody`: no user is needed, and the files stay root's, so it works below
 * folders that only root may enter. The IPC namespace makes System V shared memory vanish with the server even after
 * SIGKILL. Where the kernel or a container forbids namespaces, a normal user runs the programs as they are, and root
 * runs them as the user nobody.
 */
export function runAs(): RunAs {
  chosen ??= choose();
  return chosen;
}

function choose(): RunAs {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  const [user, group] = uid === 0 ? [65_534, 65_534] : [uid, gid];
  const enter = ['unshare', '--user', `--map-user=${user}`, `--map-group=${group}`, '--ipc', '--'];
  if (spawnSync(enter[0] as string, [...enter.slice(1), 'true']).status === 0) return { enter, own: () => {} };
  if (uid !== 0) return { enter: [], own: () => {} };
  return {
    enter: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'],
    own: (folder) => void execFileSync('chown', ['-R', '65534:65534', folder]),
  };
}
