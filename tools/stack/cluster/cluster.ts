import { KubernetesClient } from '@keelson/kubernetes';
import { PartError, startProcess, type ManagedProcess } from '@keelson/testing';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { StackOptions } from '../options.ts';
import { HOST, NAMESPACE, TLS_SECRET } from './order-demo.manifests.ts';

export interface Cluster {
  readonly kubeconfig: string;
  readonly client: KubernetesClient;
  readonly describe: string;
  stop(): Promise<void>;
}

export interface Gateway {
  readonly httpUrl: string;
  readonly httpsUrl: string;
  /** `host:port` of its metrics. */
  readonly metrics: string;
}

const typescript = (root: string, file: string): string[] => [
  join(root, 'node_modules/.bin/node'),
  '--conditions=keelson-source',
  '--disable-warning=ExperimentalWarning',
  join(root, file),
];

/** The Kubernetes API that the platform works on: the sandbox, a real one built here, or somebody's by kubeconfig. */
export async function startCluster(
  root: string,
  runFolder: string,
  wanted: StackOptions['cluster'],
  waitingFor: (what: string) => void,
): Promise<Cluster> {
  switch (wanted.kind) {
    case 'sandbox':
      return startSandbox(root, runFolder);
    case 'real':
      return startControlPlane(root, runFolder, waitingFor);
    case 'kubeconfig': {
      if (!existsSync(wanted.path)) {
        throw new PartError('Kubernetes', `the kubeconfig ${wanted.path} is not there`, {
          remedy: 'name an existing file with --cluster, or leave the option out for the sandbox',
        });
      }
      const client = KubernetesClient.fromKubeconfig(wanted.path);
      return {
        kubeconfig: wanted.path,
        client,
        describe: `Kubernetes at ${client.server}`,
        stop: async () => client.close(),
      };
    }
    default:
      return wanted satisfies never;
  }
}

async function startSandbox(root: string, runFolder: string): Promise<Cluster> {
  const kubeconfig = join(runFolder, 'kubeconfig');
  const ready = { line: /"ready":true/ };
  const api = await startProcess({
    name: 'sandbox api',
    command: [...typescript(root, 'tools/sandbox/api/main.ts'), '--kubeconfig-out', kubeconfig],
    ready,
  });
  const workloads = await startProcess({
    name: 'sandbox workloads',
    command: [...typescript(root, 'tools/sandbox/workloads/main.ts'), '--kubeconfig', kubeconfig],
    ready,
  });
  const client = KubernetesClient.fromKubeconfig(kubeconfig);
  return {
    kubeconfig,
    client,
    describe: `sandbox Kubernetes API at ${client.server}`,
    stop: async () => {
      client.close();
      await Promise.all([workloads.stop(2_000), api.stop(2_000)]);
    },
  };
}

async function startControlPlane(
  root: string,
  runFolder: string,
  waitingFor: (what: string) => void,
): Promise<Cluster> {
  const script = join(root, 'tools/control-plane/control-plane');
  const dir = join(runFolder, 'control-plane');
  waitingFor('the first build takes 6 to 9 minutes on two cores');
  const run = async (...args: string[]): Promise<string> => {
    const process_ = await startProcess({
      name: 'control-plane',
      command: [script, ...args, '--dir', dir],
      deathSignal: 'TERM',
    });
    const { code } = await process_.exited;
    if (code !== 0)
      throw new PartError('control-plane', `\`control-plane ${args[0]}\` failed`, { lines: process_.lastLines() });
    return process_.lastLines(1)[0] ?? '';
  };
  const kubeconfig = await run('up');
  const client = KubernetesClient.fromKubeconfig(kubeconfig);
  return {
    kubeconfig,
    client,
    describe: `kube-apiserver at ${client.server}`,
    stop: async () => {
      client.close();
      await run('down');
    },
  };
}

/** The sandbox's node: runs the pods' commands as processes. */
export function startNode(root: string, runFolder: string, kubeconfig: string): Promise<ManagedProcess> {
  return startProcess({
    name: 'sandbox node',
    command: [
      ...typescript(root, 'tools/sandbox/node/main.ts'),
      '--kubeconfig',
      kubeconfig,
      '--state-dir',
      join(runFolder, 'node'),
      // The back-off of a real kubelet (10 s, doubling) would outlast the story.
      '--crash-loop-base',
      '2s',
      '--crash-loop-max',
      '10s',
    ],
    ready: { line: /"ready":true/ },
  });
}

/** The sandbox's gateway. */
export async function startGateway(
  root: string,
  kubeconfig: string,
  listen: string,
): Promise<{ process: ManagedProcess; gateway: Gateway }> {
  const process_ = await startProcess({
    name: 'sandbox gateway',
    command: [
      ...typescript(root, 'tools/sandbox/gateway/main.ts'),
      '--kubeconfig',
      kubeconfig,
      '--listen',
      listen,
      '--default-ssl-certificate',
      `${NAMESPACE}/${TLS_SECRET}`,
    ],
    ready: { line: /"ready":true/ },
  });
  const line = process_.lastLines(50).find((one) => one.includes('"ready":true')) ?? '{}';
  const told = JSON.parse(line) as { http: string; https: string; metrics: string };
  // By name, as the certificate has it; the machine's own resolver knows localhost everywhere.
  const named = (url: string): string => `${new URL(url).protocol}//${HOST}:${new URL(url).port}`;
  return {
    process: process_,
    gateway: { httpUrl: named(told.http), httpsUrl: named(told.https), metrics: new URL(told.metrics).host },
  };
}
