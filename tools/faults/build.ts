import { PartError, startProcess } from '@keelson/testing';
import { join } from 'node:path';

/** Builds what is started as a process; what is up to date comes from Nx's cache. */
export async function build(root: string, signal: AbortSignal): Promise<void> {
  const run = await startProcess({
    name: 'build',
    command: [join(root, 'node_modules/.bin/nx'), 'run-many', '-t', 'build', '-p', 'order-demo,cli'],
    cwd: root,
    env: { NX_DAEMON: 'false', NX_TUI: 'false', FORCE_COLOR: '0', NODE_OPTIONS: undefined },
  });
  const abort = (): void => run.kill('SIGTERM');
  signal.addEventListener('abort', abort, { once: true });
  const { code } = await run.exited;
  signal.removeEventListener('abort', abort);
  signal.throwIfAborted();
  if (code !== 0)
    throw new PartError('build', `nx ended with exit code ${code}`, {
      lines: run.lastLines(40),
      remedy: 'npm run build shows all of it',
    });
}
