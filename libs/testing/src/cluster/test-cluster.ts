import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { privateFolder, removePrivateFolder } from '../folders/private-folder.ts';
import { type ManagedProcess, startProcess } from '../processes/managed-process.ts';
import { kubernetesApi } from './kubernetes-api.ts';

export interface TestCluster {
  /** Path of a kubeconfig file with every right. */
  readonly kubeconfig: string;
  readonly kind: 'sandbox' | 'real';
  /** Makes a fresh namespace; stop() deletes it. */
  namespace(): Promise<string>;
  /**
   * Makes the API server forget the history of Events: a watch from an older resourceVersion is answered 410. Other
   * resources a real one still serves from its watch cache; only a restart would clear that, under the feet of the
   * tests that run beside this one.
   */
  compact(): Promise<void>;
  stop(): Promise<void>;
}

const repository = join(import.meta.dirname, '../../../..');

/**
 * A Kubernetes API for one test file: a sandbox of its own, the real one that KEELSON_TEST_KUBECONFIG names, or that of
 * this worker of Jest among the control planes in the folders that KEELSON_TEST_CONTROL_PLANES lists. Tests are the same
 * on all.
 */
export async function testCluster(): Promise<TestCluster> {
  const named = process.env['KEELSON_TEST_KUBECONFIG'];
  if (named !== undefined && named !== '') return realCluster(named);
  const controlPlanes = process.env['KEELSON_TEST_CONTROL_PLANES']?.split(':') ?? [];
  const own = controlPlanes[(Number(process.env['JEST_WORKER_ID'] ?? 1) - 1) % controlPlanes.length];
  return own === undefined ? sandbox() : realCluster(join(own, 'kubeconfig'), own);
}

async function sandbox(): Promise<TestCluster> {
  const folder = privateFolder('cluster');
  const kubeconfig = join(folder, 'kubeconfig');
  const tool = (part: string, ...args: string[]): Promise<ManagedProcess> =>
    startProcess({
      name: `sandbox ${part}`,
      command: [
        process.execPath,
        '--conditions=keelson-source',
        '--disable-warning=ExperimentalWarning',
        join(repository, `tools/sandbox/${part}/main.ts`),
        ...args,
      ],
      env: { NODE_OPTIONS: undefined },
      ready: { line: /"ready":\s*true/ },
    });
  const api = await tool('api', '--kubeconfig-out', kubeconfig, '--port', '0');
  const running = [api];
  if (existsSync(join(repository, 'tools/sandbox/workloads/main.ts')))
    running.push(await tool('workloads', '--kubeconfig', kubeconfig));
  return {
    kubeconfig,
    kind: 'sandbox',
    namespace: async () => kubernetesApi(kubeconfig).createNamespace(freshName()),
    compact: () => kubernetesApi(kubeconfig).compactSandbox(),
    stop: async () => {
      for (const part of running.toReversed()) await part.stop(2_000);
      removePrivateFolder(folder);
    },
  };
}

function realCluster(kubeconfig: string, controlPlane?: string): TestCluster {
  const api = kubernetesApi(kubeconfig);
  const made: string[] = [];
  return {
    kubeconfig,
    kind: 'real',
    namespace: async () => {
      const name = await api.createNamespace(freshName());
      made.push(name);
      // Pods are refused until the controller manager has made the namespace's service account.
      await api.waitForServiceAccount(name);
      return name;
    },
    compact: async () => {
      if (controlPlane === undefined) {
        throw new Error('compact() needs a control plane of our own: run `npm run test:kubernetes` without KUBECONFIG');
      }
      const script = join(repository, 'tools/control-plane/control-plane');
      await promisify(execFile)(script, ['compact', '--dir', controlPlane], { timeout: 120_000 });
    },
    stop: async () => {
      for (const name of made) await api.deleteNamespace(name);
    },
  };
}

function freshName(): string {
  return `test-${randomBytes(5).toString('hex')}`;
}
