import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { PartError } from '../processes/part-error.ts';
import { debianInstall } from './debian-install.ts';
import { onPath, type PartName, parts } from './parts.ts';

export interface EnsureOptions {
  /** `false` (the user's `--no-install`) only looks whether the part is there. */
  allowInstall?: boolean;
  /** Is told what will be installed before it is, and what is being waited for. */
  report?: (line: string) => void;
}

/**
 * Makes sure that a part's Debian packages are installed, and says what it installs before it does. Services that
 * the packages bring are not started. Throws PartError with the ways out where it may not or cannot install.
 */
export async function ensurePart(
  name: PartName,
  { allowInstall = process.env['KEELSON_NO_INSTALL'] !== '1', report = () => {} }: EnsureOptions = {},
): Promise<void> {
  const part = parts[name];
  if (part.installed()) return;
  const packages = part.packages.join(' ');
  const or = part.instead === undefined ? '' : `, or set ${part.instead} to one of your own`;
  if (!allowInstall) {
    throw new PartError(part.title, 'it is not installed, and installing is forbidden (--no-install)', {
      remedy: `apt-get install ${packages}${or}`,
    });
  }
  if (onPath('apt-get') === undefined) {
    throw new PartError(part.title, 'it is not installed, and this machine has no apt-get to install it with', {
      remedy: `install it with your system's own package manager${or}`,
    });
  }
  if (process.getuid?.() !== 0) {
    throw new PartError(part.title, 'it is not installed, and only root can install Debian packages', {
      remedy: `sudo apt-get install ${packages}${or}`,
    });
  }
  report(`installing for ${part.title}: Debian package${part.packages.length > 1 ? 's' : ''} ${packages}`);
  await run(part.title, packages, debianInstall(part.packages), report);
  if (!part.installed()) {
    throw new PartError(part.title, `apt-get installed ${packages}, yet the part is not there`, {
      remedy: `look at: dpkg -L ${part.packages[0]}${or}`,
    });
  }
}

async function run(title: string, packages: string, script: string, report: (line: string) => void): Promise<void> {
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', 'bash', '-c', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' },
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (/^(Need to get|Setting up \S+|waiting )/.test(line)) report(line);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) {
    throw new PartError(title, `apt-get could not install ${packages} (exit code ${code})`, {
      lines,
      remedy: `run it by hand and see what it says: apt-get update && apt-get install ${packages}`,
    });
  }
}
