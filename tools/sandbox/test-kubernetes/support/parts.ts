import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  privateFolder,
  removePrivateFolder,
  startProcess,
  type ManagedProcess,
  type TestCluster,
} from '@keelson/testing';

const sandbox = join(import.meta.dirname, '../..');

const command = (part: string, args: string[]): string[] => [
  process.execPath,
  '--conditions=keelson-source',
  '--disable-warning=ExperimentalWarning',
  join(sandbox, part, 'main.ts'),
  ...args,
];

export type RunningNode = { name: string; process: ManagedProcess; stateDir: string; stop(): Promise<void> };

/** A node for one namespace, so that test files on one real cluster do not take each other's pods. */
export async function startNode(
  cluster: TestCluster,
  namespace: string,
  options: { name?: string; stateDir?: string; args?: string[] } = {},
): Promise<RunningNode> {
  const name = options.name ?? `node-${randomBytes(4).toString('hex')}`;
  const stateDir = options.stateDir ?? privateFolder('node');
  const args = ['--kubeconfig', cluster.kubeconfig, '--name', name, '--namespace', namespace, '--state-dir', stateDir];
  const started = await startProcess({
    name: 'sandbox node',
    command: command('node', [
      ...args,
      '--retry',
      '500ms',
      '--crash-loop-base',
      '300ms',
      '--crash-loop-max',
      '2s',
      ...(options.args ?? []),
    ]),
    env: { NODE_OPTIONS: undefined },
    ready: { line: /"ready":\s*true/ },
  });
  return {
    name,
    process: started,
    stateDir,
    stop: async () => {
      await started.stop(8000);
      if (options.stateDir === undefined) removePrivateFolder(stateDir);
    },
  };
}

export type RunningGateway = {
  http: string;
  https: string;
  metrics: string;
  httpPort: number;
  httpsPort: number;
  stop(): Promise<void>;
};

/** A gateway for the Ingresses of one namespace. */
export async function startGateway(
  cluster: TestCluster,
  namespace: string,
  ...args: string[]
): Promise<RunningGateway> {
  let ready: Omit<RunningGateway, 'stop'> | undefined;
  const started = await startProcess({
    name: 'sandbox gateway',
    command: command('gateway', ['--kubeconfig', cluster.kubeconfig, '--namespace', namespace, ...args]),
    env: { NODE_OPTIONS: undefined },
    ready: { line: /"ready":\s*true/ },
    onLine: (line) => {
      if (line.startsWith('{"ready"')) ready = JSON.parse(line) as Omit<RunningGateway, 'stop'>;
    },
  });
  if (ready === undefined) throw new Error(`the gateway's ready line was not seen: ${started.lastLines().join('\n')}`);
  return { ...ready, stop: async () => void (await started.stop(8000)) };
}
