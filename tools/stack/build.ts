import { startProcess, PartError } from '@keelson/testing';
import { join } from 'node:path';

/** Builds everything that is started as a process; what is up to date comes from Nx's cache. */
export async function buildAll(root: string, signal: AbortSignal): Promise<void> {
  const build = await startProcess({
    name: 'build',
    command: [join(root, 'node_modules/.bin/nx'), 'run-many', '-t', 'build', '--parallel=2', '--output-style=stream'],
    cwd: root,
    env: { NX_DAEMON: 'false', NX_TUI: 'false', FORCE_COLOR: '0' },
  });
  const abort = (): void => build.kill('SIGTERM');
  signal.addEventListener('abort', abort, { once: true });
  const { code } = await build.exited;
  signal.removeEventListener('abort', abort);
  signal.throwIfAborted();
  if (code !== 0)
    throw new PartError('build', `nx ended with exit code ${code}`, {
      lines: build.lastLines(40),
      remedy: 'npm run build shows all of it',
    });
}
