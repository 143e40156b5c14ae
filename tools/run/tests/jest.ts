import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Exit, startProcess } from '@keelson/testing';
import type { JestResults } from './tally.ts';

export interface JestRun {
  root: string;
  /** Where Jest writes its results. */
  resultsFile: string;
  arguments: readonly string[];
  workers: number;
  env: Record<string, string | undefined>;
  signal: AbortSignal;
}

export type JestOutcome =
  | { kind: 'done'; results: JestResults; exit: Exit }
  /** It wrote its results and then did not end: a server or timer of the set-up kept it alive. */
  | { kind: 'hung'; results: JestResults }
  /** It ended without results: wrong arguments, or a fault of Jest's own. */
  | { kind: 'broken'; exit: Exit };

/** After its results are written, so long may Jest take to end by itself. */
const graceAfterResultsMs = 30_000;

/** Runs one Jest over all projects, and shows what it prints. */
export async function runJest({
  root,
  resultsFile,
  arguments: args,
  workers,
  env,
  signal,
}: JestRun): Promise<JestOutcome> {
  const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  const jest = await startProcess({
    name: 'Jest',
    command: [
      process.execPath,
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join(root, 'node_modules/jest/bin/jest.js'),
      '--config=jest.config.mjs',
      `--maxWorkers=${workers}`,
      // Half a second, the default, is not enough on a busy machine, and Jest then speaks of a leak.
      '--workerGracefulExitTimeout=15000',
      '--json',
      `--outputFile=${resultsFile}`,
      '--reporters=default',
      '--passWithNoTests',
      ...args,
    ],
    cwd: root,
    env: { ...env, NODE_OPTIONS: undefined, ...(colour ? { FORCE_COLOR: '1' } : {}) },
    deathSignal: 'KILL',
    // With --json it prints the document itself on stdout; the results are read from the file.
    onLine: (line) => {
      if (!/^(?:\{"num|Test results written to: )/.test(line)) process.stdout.write(`${line}\n`);
    },
  });
  const stopped = new Promise<never>((_resolve, reject) => {
    const stop = (): void => void jest.stop(3_000, 'SIGINT').finally(() => reject(signal.reason));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  const hung = new AbortController();
  try {
    const exit = await Promise.race([jest.exited, stopped, hangs(resultsFile, hung.signal)]);
    const results = existsSync(resultsFile)
      ? (JSON.parse(readFileSync(resultsFile, 'utf8')) as JestResults)
      : undefined;
    if (exit === 'hung') {
      await jest.stop(3_000);
      return results === undefined
        ? { kind: 'broken', exit: { code: null, signal: 'SIGKILL' } }
        : { kind: 'hung', results };
    }
    return results === undefined ? { kind: 'broken', exit } : { kind: 'done', results, exit };
  } finally {
    hung.abort();
    stopped.catch(() => undefined); // the run is over: an abort that comes later has nothing left to stop
    await jest.stop(0);
  }
}

async function hangs(resultsFile: string, signal: AbortSignal): Promise<'hung'> {
  while (!existsSync(resultsFile)) await pause(500, undefined, { signal });
  await pause(graceAfterResultsMs, undefined, { signal });
  return 'hung';
}
