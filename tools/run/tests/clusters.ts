import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { onPath, PartError, privateFolder, startProcess } from '@keelson/testing';
import { step } from '../steps.ts';

/** The real Kubernetes API for `npm run test:kubernetes`. */
export interface Clusters {
  /** Tests that want a cluster for themselves run one on each. */
  count: number;
  env: Record<string, string>;
  stop(): Promise<void>;
}

/** The first build of the control plane takes 14 minutes of CPU time: far longer on two cores that others use too. */
const buildMs = 60 * 60_000;

/** The cluster that KEELSON_TEST_KUBECONFIG or KUBECONFIG names, else two of our own, which Go is needed to build. */
export async function startClusters(root: string): Promise<Clusters> {
  const named = process.env['KEELSON_TEST_KUBECONFIG'] ?? process.env['KUBECONFIG'];
  if (named !== undefined && named !== '') {
    if (!existsSync(named))
      throw new PartError('Kubernetes', `the kubeconfig ${named} is not there`, {
        remedy: 'name one that is, or unset KUBECONFIG',
      });
    return { count: 1, env: { KEELSON_TEST_KUBECONFIG: named }, stop: async () => {} };
  }
  if (onPath('go') === undefined) {
    throw new PartError('Kubernetes', 'Go 1.24 or newer is not installed, and a real kube-apiserver is built with it', {
      remedy: 'install Go, or set KUBECONFIG to a cluster that tests may use',
    });
  }
  const script = join(root, 'tools/control-plane/control-plane');
  const folders = ['a', 'b'].map((name) => privateFolder(`control-plane-${name}`));
  const stop = async (): Promise<void> => {
    await Promise.all(folders.map((dir) => control(script, 'down', '--dir', dir)));
  };
  try {
    await step('the Kubernetes control plane is built (the first time takes minutes)', () => control(script, 'build'));
    await step('two of kube-apiserver, etcd and controller manager', () =>
      Promise.all(folders.map((dir) => control(script, 'up', '--dir', dir, '--with-parent', String(process.pid)))),
    );
    return { count: folders.length, env: { KEELSON_TEST_CONTROL_PLANES: folders.join(':') }, stop };
  } catch (error) {
    await stop().catch(() => undefined); // what failed to start is told; that it cannot be stopped follows from it
    throw error;
  }
}

async function control(script: string, ...args: string[]): Promise<void> {
  const lines: string[] = [];
  const process_ = await startProcess({
    name: `control-plane ${args[0]}`,
    command: [script, ...args],
    onLine: (line) => lines.push(line),
    deathSignal: 'TERM',
  });
  const limit = setTimeout(() => void process_.stop(5_000), buildMs);
  const { code } = await process_.exited;
  clearTimeout(limit);
  if (code !== 0)
    throw new PartError('Kubernetes', `control-plane ${args[0]} failed with exit code ${code}`, { lines });
}
