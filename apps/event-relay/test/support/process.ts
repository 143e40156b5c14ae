import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startProcess, type ManagedProcess } from '@keelson/testing';

const main = join(import.meta.dirname, '../../dist/main.js');

/** Starts the built program as a pod would, with nothing of this process's settings; ready when it listens. */
export function relayProcess(
  env: Record<string, string>,
  options: { untilReady?: boolean; onLine?: (line: string) => void } = {},
): Promise<ManagedProcess> {
  if (!existsSync(main)) throw new Error(`${main} is missing: run \`npm run build\` before this test`);
  return startProcess({
    name: 'event-relay',
    command: [process.execPath, main],
    timeoutMs: 90_000,
    env: { NODE_OPTIONS: undefined, KUBECONFIG: undefined, LOG_LEVEL: 'info', ...env },
    ...(options.untilReady === false ? {} : { ready: { line: /"msg":"listening"/ } }),
    ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
  });
}
