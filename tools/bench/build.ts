import { PartError, startProcess } from '@keelson/testing';
import { join } from 'node:path';

/** Builds what is measured; up to date comes from Nx's cache. */
export async function buildAll(root: string): Promise<void> {
  const build = await startProcess({
    name: 'build',
    command: [
      join(root, 'node_modules/.bin/nx'),
      'run-many',
      '-t',
      'build',
      '--exclude=console',
      '--output-style=stream',
    ],
    cwd: root,
    env: { NX_DAEMON: 'false', NX_TUI: 'false' },
  });
  const { code } = await build.exited;
  if (code !== 0) throw new PartError('build', `nx ended with exit code ${code}`, { lines: build.lastLines(40) });
}
