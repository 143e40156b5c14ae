import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { onPath, PartError, privateFolder, startProcess } from '@keelson/testing';
import { step } from '../steps.ts';

export interface ControlPlane {
  env: Record<string, string>;
  stop(): Promise<void>;
}

/** The first build of the control plane takes 14 minutes of CPU time: far longer on two cores that others use too. */
const buildMs = 60 * 60_000;

/**
 * The real Kubernetes API for `npm run test:kubernetes`: the one that KEELSON_TEST_KUBECONFIG or KUBECONFIG names, else
 * one of our own, which Go is needed to build.
 */
export async function startControlPlane(root: string): Promise<ControlPlane> {
  const named = process.env['KEELSON_TEST_KUBECONFIG'] ?? process.env['KUBECONFIG'];
  if (named !== undefined && named !== '') {
    if (!existsSync(named))
      throw new PartError('Kubernetes', `the kubeconfig ${named} is not there`, {
        remedy: 'name one that is, or unset KUBECONFIG',
      });
    return { env: { KEELSON_TEST_KUBECONFIG: named }, stop: async () => {} };
  }
  const script = join(root, 'tools/control-plane/control-plane');
  if (onPath('go') === undefined) {
    throw new PartError('Kubernetes', 'Go 1.24 or newer is not installed, and a real kube-apiserver is built with it', {
      remedy: 'install Go, or set KUBECONFIG to a cluster that tests may use',
    });
  }
  const dir = privateFolder('control-plane');
  const run = async (...args: string[]): Promise<string> => {
    const lines: string[] = [];
    const process_ = await startProcess({
      name: `control-plane ${args[0]}`,
      command: [script, ...args, '--dir', dir],
      onLine: (line) => lines.push(line),
      deathSignal: 'TERM',
    });
    const limit = setTimeout(() => void process_.stop(5_000), buildMs);
    const { code } = await process_.exited;
    clearTimeout(limit);
    if (code !== 0)
      throw new PartError('Kubernetes', `control-plane ${args[0]} failed with exit code ${code}`, { lines });
    return lines.findLast((line) => line.startsWith('/')) ?? '';
  };
  const stop = async (): Promise<void> => void (await run('down'));
  try {
    const kubeconfig = await step(
      'kube-apiserver (the first build takes minutes)',
      () => run('up', '--with-parent', String(process.pid)),
      () => 'kube-apiserver, etcd and controller manager',
    );
    return { env: { KEELSON_TEST_KUBECONFIG: kubeconfig, KEELSON_TEST_CONTROL_PLANE_DIR: dir }, stop };
  } catch (error) {
    await stop().catch(() => undefined); // what failed to start is told; that it cannot be stopped follows from it
    throw error;
  }
}
