import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** Inherited by everything that a test run starts; names the run. */
export const runVariable = 'KEELSON_TEST_RUN';

export interface Leftover {
  pid: number;
  command: string;
}

/** Processes that a run started and that outlived it (zombies are none: they only wait to be read). */
export function leftovers(run: string): Leftover[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const environment = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
        if (!environment.includes(`${runVariable}=${run}`) || Number(name) === process.pid) return [];
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').join(' ').trim();
        return command === '' ? [] : [{ pid: Number(name), command: command.slice(0, 160) }];
      } catch {
        return []; // ended meanwhile, or another user's
      }
    });
}

/** What is ending takes a moment; what is there after `graceMs` has been forgotten. It is killed and returned. */
export async function endLeftovers(run: string, graceMs = 3_000): Promise<Leftover[]> {
  const deadline = performance.now() + graceMs;
  let left = leftovers(run);
  while (left.length > 0 && performance.now() < deadline) {
    await pause(50);
    left = leftovers(run);
  }
  for (const { pid } of left) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself after all.
    }
  }
  return left;
}
