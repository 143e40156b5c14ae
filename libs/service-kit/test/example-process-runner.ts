import { fileURLToPath } from 'node:url';
import { type ManagedProcess, startProcess } from '@keelson/testing';

const program = fileURLToPath(new URL('example-process.ts', import.meta.url));

/** The command that runs the example as a process of its own, from its sources. */
export const exampleCommand = [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  '--conditions=keelson-source',
  program,
];

/** Variables of Jest's own process that would change how the example runs. */
export const cleanEnvironment = { NODE_OPTIONS: undefined, LOG_LEVEL: undefined };

/** Starts the example and waits until it listens. */
export const exampleProcess = (
  environment: Record<string, string> = {},
  line = /"msg":"listening"/,
): Promise<ManagedProcess> =>
  startProcess({
    name: 'example',
    command: exampleCommand,
    env: { ...cleanEnvironment, ...environment },
    ready: { line },
  });

export type LogLine = Readonly<Record<string, unknown>>;

/** What it logged, as objects; lines that are no JSON are left out. */
export function logLines(example: ManagedProcess): LogLine[] {
  return example.lastLines(400).flatMap((line) => {
    try {
      return [JSON.parse(line) as LogLine];
    } catch {
      return [];
    }
  });
}
