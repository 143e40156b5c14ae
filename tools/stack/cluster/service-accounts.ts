import {
  apiVersionOf,
  resources,
  type KubernetesClient,
  type KubernetesObject,
  type Resource,
} from '@keelson/kubernetes';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import type { ServiceName } from '../services/services.ts';

/** Where deploy/kubernetes puts the services' accounts. */
export const SERVICE_NAMESPACE = 'keelson';
const FIELD_MANAGER = 'keelson-stack';
/** As long as a platform on somebody's machine is likely to stay up. */
const TOKEN_SECONDS = 7 * 86_400;

const kinds: readonly Resource[] = [
  resources.namespaces,
  resources.serviceAccounts,
  resources.roles,
  resources.roleBindings,
  resources.clusterRoles,
  resources.clusterRoleBindings,
];

/**
 * Gives each service the account that deploy/kubernetes gives it, so that a right that is missing there is missing here
 * too. Returns for each the path of a kubeconfig (mode 0600) with a token of its account.
 */
export async function serviceAccounts(
  client: KubernetesClient,
  options: { root: string; runFolder: string; kubeconfig: string; names: readonly ServiceName[] },
): Promise<Record<ServiceName, string>> {
  for (const name of ['namespace', ...options.names]) await applyFile(client, options.root, `${name}.yaml`);
  const files = await Promise.all(
    options.names.map(async (name) => {
      const { token } = await requestToken(client, name);
      const file = join(options.runFolder, `kubeconfig-${name}`);
      writeFileSync(
        file,
        kubeconfigWith(readFileSync(options.kubeconfig, 'utf8'), token, dirname(options.kubeconfig)),
        { mode: 0o600 },
      );
      chmodSync(file, 0o600); // of a file that was there, too
      return [name, file] as const;
    }),
  );
  return Object.fromEntries(files) as Record<ServiceName, string>;
}

async function applyFile(client: KubernetesClient, root: string, file: string): Promise<void> {
  const path = join(root, 'deploy/kubernetes', file);
  for (const document of parseAllDocuments(readFileSync(path, 'utf8'))) {
    const object = document.toJS() as KubernetesObject;
    const resource = kinds.find((one) => one.kind === object.kind && apiVersionOf(one) === object.apiVersion);
    if (resource === undefined)
      throw new Error(`${path}: ${object.apiVersion} ${object.kind} is none of what it may hold`);
    const outcome = await client.apply(resource, object, { fieldManager: FIELD_MANAGER, force: true });
    if (outcome.kind === 'conflict') throw new Error(`${path}: ${JSON.stringify(outcome.causes)}`);
  }
}

/** TokenRequest, as kubelet makes one for a pod. */
async function requestToken(client: KubernetesClient, name: string): Promise<{ token: string }> {
  const answer = await client.request<{ status: { token: string } }>({
    method: 'POST',
    path: `/api/v1/namespaces/${SERVICE_NAMESPACE}/serviceaccounts/${name}/token`,
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: TOKEN_SECONDS },
    },
  });
  return { token: answer.status.token };
}

/** The same cluster as its current context names, with this token instead of its user; `folder` is where the file stands. */
export function kubeconfigWith(text: string, token: string, folder: string): string {
  const config = parse(text) as {
    'current-context'?: string;
    contexts?: { name: string; context: { cluster: string } }[];
    clusters: { name: string; cluster: { 'certificate-authority'?: string } }[];
  };
  const context = config.contexts?.find(({ name }) => name === config['current-context']) ?? config.contexts?.[0];
  const cluster = config.clusters.find(({ name }) => name === context?.context.cluster) ?? config.clusters[0];
  const { 'certificate-authority': caFile, ...reach } = cluster?.cluster ?? {};
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'cluster',
        cluster: { ...reach, ...(caFile === undefined ? {} : { 'certificate-authority': resolve(folder, caFile) }) },
      },
    ],
    users: [{ name: 'service', user: { token } }],
    contexts: [{ name: 'service', context: { cluster: 'cluster', user: 'service', namespace: SERVICE_NAMESPACE } }],
    'current-context': 'service',
  });
}
