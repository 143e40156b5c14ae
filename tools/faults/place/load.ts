import { startProcess, type ManagedProcess } from '@keelson/testing';
import { join } from 'node:path';
import type { Place } from './place.ts';

export interface LoadResult {
  readonly sent: number;
  readonly accepted: number;
  readonly replayed: number;
  readonly failed: number;
  readonly retries: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** Customers who insist: `keelson orders load`, a tenth of the orders sent twice, a third out of order. */
export class Load {
  readonly idsFile: string;
  readonly #process: ManagedProcess;
  readonly #lines: string[];

  private constructor(process: ManagedProcess, lines: string[], idsFile: string) {
    this.#process = process;
    this.#lines = lines;
    this.idsFile = idsFile;
  }

  static async start(place: Place, options: { rate: number; seconds: number; seed: number }): Promise<Load> {
    const idsFile = join(place.folder, 'accepted-ids');
    const lines: string[] = [];
    const { root } = place.options;
    const started = await startProcess({
      name: 'load',
      command: [
        join(root, 'node_modules/.bin/node'),
        join(root, 'apps/cli/dist/main.js'),
        '-o',
        'jsonl',
        'orders',
        'load',
        '--retry=all',
        '--retry-for=1h',
        '--duplicate=0.1',
        '--reorder=0.3',
        `--rate=${options.rate}`,
        `--for=${options.seconds}s`,
        `--seed=${options.seed}`,
        '--max-in-flight=1000000',
        `--ids-file=${idsFile}`,
      ],
      env: {
        KEELSON_ORDERS_URL: place.url,
        KEELSON_TOKEN: place.token,
        KEELSON_CA_FILE: undefined,
        NODE_OPTIONS: undefined,
      },
      onLine: (line) => lines.push(line),
    });
    return new Load(started, lines, idsFile);
  }

  /** Resolves when every customer has its order. Throws where the generator itself fails. */
  async end(): Promise<LoadResult> {
    await this.#process.exited;
    const result = this.#lines.findLast((line) => line.startsWith('{"elapsedSeconds"')); // a failure is an object, too
    if (result === undefined)
      throw new Error(`the load generator gave no result:\n${this.#lines.slice(-5).join('\n')}`);
    return JSON.parse(result) as LoadResult;
  }

  async stop(): Promise<void> {
    await this.#process.stop(0);
  }
}
