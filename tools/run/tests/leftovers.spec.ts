import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { eventually } from '@keelson/testing';
import { endLeftovers, leftovers, runVariable } from './leftovers.ts';

describe('what a test run left behind', () => {
  test('is found by the run’s name, also when its starter is gone, and ended', async () => {
    const run = randomBytes(6).toString('hex');
    // A shell that starts a process in a session of its own and ends: nobody is its parent any more.
    const shell = spawn('sh', ['-c', 'setsid sleep 600 >/dev/null 2>&1 &'], {
      env: { ...process.env, [runVariable]: run },
    });
    await once(shell, 'exit');
    await eventually(() => leftovers(run).some(({ command }) => command.startsWith('sleep 600')));
    expect(await endLeftovers(run, 0)).toHaveLength(1);
    expect(await endLeftovers(run)).toEqual([]);
  });
});
