import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The root of the workspace. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * A file as it is in a commit; undefined where that commit does not have it.
 *
 * @throws Error where the commit is unknown.
 */
export function fileAt(reference: string, path: string, root = ROOT): string | undefined {
  git(root, ['rev-parse', '--verify', '--quiet', `${reference}^{commit}`], `git knows no commit "${reference}"`);
  const listed = git(root, ['ls-tree', '--name-only', reference, '--', path], `git cannot list ${reference}`);
  return listed.trim() === '' ? undefined : git(root, ['show', `${reference}:./${path}`], `git cannot show ${path}`);
}

function git(root: string, command: string[], otherwise: string): string {
  try {
    return execFileSync('git', command, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(stderr ? `${otherwise}: ${stderr.trim()}` : otherwise, { cause: error });
  }
}
