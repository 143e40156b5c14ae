import { startProcess } from '@keelson/testing';
import { join } from 'node:path';

/** The part of what `keelson orders load -o jsonl` prints that benchmarks read. */
export interface Load {
  elapsedSeconds: number;
  sent: number;
  accepted: number;
  refused: number;
  failed: number;
  dropped: number;
  acceptedPerSecond: number;
  latencyMs: { p50: number; p99: number; max: number };
}

export interface LoadOptions {
  url: string;
  token: string;
  /** Orders a second. */
  rate: number;
  seconds: number;
  /** Further options of the command. */
  more?: readonly string[];
}

/** Places orders by an open model from a process of its own. Throws where it prints no result. */
export async function generate(root: string, { url, token, rate, seconds, more = [] }: LoadOptions): Promise<Load> {
  const lines: string[] = [];
  const run = await startProcess({
    name: 'load',
    command: [
      join(root, 'node_modules/.bin/node'),
      join(root, 'apps/cli/dist/main.js'),
      '-o',
      'jsonl',
      'orders',
      'load',
      `--rate=${Math.round(rate)}`,
      `--for=${seconds}s`,
      ...more,
    ],
    env: { NODE_OPTIONS: undefined, KEELSON_ORDERS_URL: url, KEELSON_TOKEN: token, KEELSON_CA_FILE: undefined },
    onLine: (line) => lines.push(line),
  });
  await run.exited;
  const result = lines.findLast((line) => line.startsWith('{"elapsedSeconds"')); // a failure is an object, too
  if (result === undefined) throw new Error(`the load generator gave no result:\n${lines.join('\n')}`);
  return JSON.parse(result) as Load;
}
