import { eventually, startProcess, type ManagedProcess } from '@keelson/testing';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');

async function faults(...args: string[]): Promise<{ run: ManagedProcess; lines: string[] }> {
  const lines: string[] = [];
  const run = await startProcess({
    name: 'fault run',
    command: [
      process.execPath,
      '--conditions=keelson-source',
      '--disable-warning=ExperimentalWarning',
      join(root, 'tools/faults/main.ts'),
      '--no-install',
      ...args,
    ],
    cwd: root,
    env: { NODE_OPTIONS: undefined },
    deathSignal: 'TERM',
    onLine: (line) => lines.push(line),
  });
  return { run, lines };
}

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

const limit = 600_000;

test(
  'a minute of faults loses, doubles and leaves behind nothing',
  async () => {
    // Of this seed's minute relays, database and broker are killed, and messages come twice or are poison.
    const { run, lines } = await faults('--seed=26', '--for=60s');
    const { code } = await run.exited;
    expect(lines.slice(-12).join('\n')).toMatch(/ \d+ compensated; 0 lost, 0 doubled, 0 stuck, 0 negative$/);
    expect(code).toBe(0);
    expect(lines.some((line) => line.includes('kill -9 of every outbox relay'))).toBe(true);
    const accepted = Number(/^(\d+) accepted/.exec(lines.at(-1)!)![1]);
    expect(accepted).toBe(60 * 30);
  },
  limit,
);

test(
  'the node that leads a queue of a cluster is killed, then one is parted from the others, and no order is lost',
  async () => {
    const { run, lines } = await faults('--seed=3', '--for=35s', '--cluster=3', '--only=kill-leader,partition');
    const { code } = await run.exited;
    expect(lines.slice(-12).join('\n')).toMatch(/ \d+ compensated; 0 lost, 0 doubled, 0 stuck, 0 negative$/);
    expect(code).toBe(0);
    expect(lines.some((line) => /kill -9 of node \d, which leads order-demo\./.test(line))).toBe(true);
    expect(lines.some((line) => /node \d, which leads order-demo\..*is parted from the other nodes/.test(line))).toBe(
      true,
    );
    expect(lines.some((line) => line.includes('all nodes see each other again'))).toBe(true);
  },
  limit,
);

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
