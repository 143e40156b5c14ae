import { startProcess, type ManagedProcess } from '@keelson/testing';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');

/** A fault run lasts a minute and more, and so do its start and its end on a busy machine. */
export const limit = 600_000;

/** `npm run faults -- ...args`, and the lines that it has printed so far. */
export async function faults(...args: string[]): Promise<{ run: ManagedProcess; lines: string[] }> {
  const lines: string[] = [];
  const run = await startProcess({
    name: 'fault run',
    command: [
      process.execPath,
      '--conditions=keelson-source',
      '--disable-warning=ExperimentalWarning',
      join(root, 'tools/faults/main.ts'),
      '--no-install',
      '--no-build', // the run has built all, and other tests start processes from there meanwhile
      ...args,
    ],
    cwd: root,
    env: { NODE_OPTIONS: undefined },
    deathSignal: 'TERM',
    onLine: (line) => lines.push(line),
  });
  return { run, lines };
}
