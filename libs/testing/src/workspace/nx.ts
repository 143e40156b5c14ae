import { join } from 'node:path';
import { describeExit, startProcess } from '../processes/managed-process.ts';

export interface NxResult {
  code: number;
  output: string;
}

/** Runs Nx without its daemon, cloud and terminal interface: nothing stays behind, and it works without a network. */
export async function nx(
  root: string,
  args: readonly string[],
  { quiet = false, signal }: { quiet?: boolean; signal?: AbortSignal } = {},
): Promise<NxResult> {
  const lines: string[] = [];
  const colour = !quiet && process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  const child = await startProcess({
    name: 'Nx',
    command: [process.execPath, join(root, 'node_modules/nx/dist/bin/nx.js'), ...args],
    cwd: root,
    env: {
      NX_DAEMON: 'false',
      NX_NO_CLOUD: 'true',
      NX_TUI: 'false',
      NX_INTERACTIVE: 'false',
      // Its plugins in its own process: quicker, and nothing is left when it is killed.
      NX_ISOLATE_PLUGINS: 'false',
      NODE_OPTIONS: undefined,
      ...(colour ? { FORCE_COLOR: '1' } : { NO_COLOR: '1', FORCE_COLOR: '0' }),
    },
    onLine: (line) => {
      lines.push(line);
      if (!quiet) process.stdout.write(`${line}\n`);
    },
  });
  const stop = (): void => void child.stop(2_000);
  signal?.addEventListener('abort', stop, { once: true });
  const exit = await child.exited;
  signal?.removeEventListener('abort', stop);
  if (exit.signal !== null) lines.push(`Nx ended with ${describeExit(exit)}`);
  return { code: exit.code ?? 1, output: lines.join('\n') };
}
