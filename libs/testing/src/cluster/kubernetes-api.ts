import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { parse } from 'yaml';
import { eventually } from '../time/eventually.ts';

/** The few calls that testing needs itself; libs/kubernetes, which it tests, must not be what it tests with. */
export interface KubernetesApi {
  createNamespace(name: string): Promise<string>;
  deleteNamespace(name: string): Promise<void>;
  waitForServiceAccount(namespace: string): Promise<void>;
  /** Only the sandbox has this: a real API server is compacted through etcd. */
  compactSandbox(): Promise<void>;
}

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data'?: string; 'certificate-authority'?: string } }[];
  users: {
    user: {
      token?: string;
      'client-certificate-data'?: string;
      'client-key-data'?: string;
      'client-certificate'?: string;
      'client-key'?: string;
    };
  }[];
}

export function kubernetesApi(kubeconfig: string): KubernetesApi {
  const config = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
  const cluster = config.clusters[0]?.cluster;
  const user = config.users[0]?.user ?? {};
  if (cluster === undefined) throw new Error(`${kubeconfig} names no cluster`);
  const pem = (data: string | undefined, file: string | undefined): Buffer | undefined =>
    data !== undefined ? Buffer.from(data, 'base64') : file === undefined ? undefined : readFileSync(file);
  const tls = {
    ca: pem(cluster['certificate-authority-data'], cluster['certificate-authority']),
    cert: pem(user['client-certificate-data'], user['client-certificate']),
    key: pem(user['client-key-data'], user['client-key']),
  };
  const call = (method: string, path: string, body?: unknown): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/json',
        ...(user.token === undefined ? {} : { authorization: `Bearer ${user.token}` }),
      };
      const sent = request(new URL(path, cluster.server), { method, headers, ...tls, timeout: 30_000 }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          if (status < 400 || status === 404) resolve(status);
          else reject(new Error(`Kubernetes API: ${method} ${path} answered ${status}: ${text}`));
        });
      });
      sent.on('error', reject);
      sent.on('timeout', () => sent.destroy(new Error(`Kubernetes API: ${method} ${path} took over 30 s`)));
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  return {
    createNamespace: async (name) => {
      await call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      return name;
    },
    deleteNamespace: async (name) => void (await call('DELETE', `/api/v1/namespaces/${name}`)),
    waitForServiceAccount: (namespace) =>
      eventually(
        async () => (await call('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/default`)) === 200 || undefined,
        { describe: `service account "default" in namespace ${namespace}` },
      ).then(() => undefined),
    compactSandbox: async () => {
      const status = await call('POST', '/sandbox/compact');
      if (status === 404) throw new Error('the sandbox has no POST /sandbox/compact');
    },
  };
}
