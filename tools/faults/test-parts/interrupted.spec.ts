import { eventually, type ManagedProcess } from '@keelson/testing';
import { readdirSync, readFileSync } from 'node:fs';
import { faults, limit } from './fault-run.ts';

/** Processes that name the folder of a fault run's parts in their command line or environment. */
function started(by: ManagedProcess): number {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name) || Number(name) === by.pid) return false;
    try {
      return readFileSync(`/proc/${name}/environ`, 'utf8').includes(`-${by.pid}-`);
    } catch {
      return false; // ended meanwhile
    }
  }).length;
}

test(
  'Ctrl-C ends everything that was started',
  async () => {
    const { run, lines } = await faults('--for=10m');
    await eventually(() => lines.some((line) => line.includes('orders a second')), { withinMs: limit });
    expect(started(run)).toBeGreaterThan(8);
    run.kill('SIGINT');
    expect(await run.exited).toEqual({ code: 130, signal: null });
    await eventually(() => started(run) === 0);
  },
  limit,
);
