import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { basic, execCredentials, noCredentials, staticToken, tokenFile, type Credentials } from './credentials.ts';

/** How to reach one cluster as one user. */
export type ClusterAccess = {
  /** `https://host:port`, perhaps with a path; no trailing slash. */
  server: string;
  /** Used where a namespaced call names none. */
  namespace: string;
  /** Asked again for every watch and after a 401, so that renewed files are picked up. */
  tls(): TlsOptions;
  credentials: Credentials;
  /** HTTP proxy for this cluster (kubeconfig's proxy-url). */
  proxyUrl?: string | undefined;
  /** Sent as Impersonate-User. */
  impersonate?: string | undefined;
};

export type TlsOptions = {
  ca?: Buffer | string;
  cert?: Buffer | string;
  key?: Buffer | string;
  servername?: string;
  rejectUnauthorized?: boolean;
};

type Named<Kind extends string, T> = { name: string } & Record<Kind, T>;
type ClusterEntry = {
  server?: string;
  'certificate-authority'?: string;
  'certificate-authority-data'?: string;
  'insecure-skip-tls-verify'?: boolean;
  'tls-server-name'?: string;
  'proxy-url'?: string;
};
type UserEntry = {
  'client-certificate'?: string;
  'client-certificate-data'?: string;
  'client-key'?: string;
  'client-key-data'?: string;
  token?: string;
  tokenFile?: string;
  username?: string;
  password?: string;
  as?: string;
  exec?: unknown;
  'auth-provider'?: { name?: string };
};
type ContextEntry = { cluster?: string; user?: string; namespace?: string };
type Kubeconfig = {
  'current-context'?: string;
  clusters?: Named<'cluster', ClusterEntry>[];
  users?: Named<'user', UserEntry>[];
  contexts?: Named<'context', ContextEntry>[];
};

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Where a program runs decides: `KUBECONFIG`, else `~/.kube/config`, else the pod's service account.
 * Throws a sentence that names all three when there is none.
 */
export function accessFromEnvironment(env: NodeJS.ProcessEnv = process.env): ClusterAccess {
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  const first = listed.find((path) => existsSync(path)) ?? listed[0];
  if (first !== undefined) return accessFromKubeconfig(first);
  const own = join(homedir(), '.kube', 'config');
  if (existsSync(own)) return accessFromKubeconfig(own);
  if (existsSync(`${serviceAccount}/token`)) return accessFromServiceAccount(env);
  throw new Error(
    `no cluster to talk to: KUBECONFIG is not set, ${own} is not there, and neither is a pod's service account (${serviceAccount}/token). Set KUBECONFIG to a kubeconfig file.`,
  );
}

/** The pod's own service account; its token is re-read when it is renewed. */
export function accessFromServiceAccount(
  env: NodeJS.ProcessEnv = process.env,
  folder: string = serviceAccount,
): ClusterAccess {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  if (host === undefined || port === undefined) {
    throw new Error('KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this is not a pod');
  }
  const namespace = `${folder}/namespace`;
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    namespace: existsSync(namespace) ? readFileSync(namespace, 'utf8').trim() : 'default',
    tls: () => ({ ca: readFileSync(`${folder}/ca.crt`) }),
    credentials: tokenFile(`${folder}/token`),
  };
}

/** One context of a kubeconfig file, `current-context` unless named. Errors name the file and the field. */
export function accessFromKubeconfig(path: string, contextName?: string): ClusterAccess {
  const fail = (what: string): never => {
    throw new Error(`kubeconfig ${path}: ${what}`);
  };
  let config: Kubeconfig | null;
  try {
    config = parse(readFileSync(path, 'utf8')) as Kubeconfig | null;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
  if (config === null || typeof config !== 'object')
    return fail('is empty; it should be a YAML document of kind Config');
  const wanted = contextName ?? config['current-context'];
  if (wanted === undefined || wanted === '') return fail('has no current-context');
  const context = named(config.contexts, 'context', wanted) ?? fail(`has no context "${wanted}"`);
  const cluster =
    named(config.clusters, 'cluster', context.cluster ?? '') ?? fail(`has no cluster "${context.cluster}"`);
  const user = named(config.users, 'user', context.user ?? '') ?? {};
  if (cluster.server === undefined) return fail(`cluster "${context.cluster}" has no server`);
  if (user['auth-provider'] !== undefined) {
    return fail(
      `user "${context.user}" uses auth-provider "${user['auth-provider'].name}", which is not supported; use exec, a token or a client certificate`,
    );
  }

  const folder = dirname(path);
  const material = (data: string | undefined, file: string | undefined): Buffer | undefined => {
    if (data !== undefined) return Buffer.from(data, 'base64');
    return file === undefined ? undefined : readFileSync(resolve(folder, file));
  };
  const credentials = credentialsOf(user, folder);
  return {
    server: cluster.server.replace(/\/+$/, ''),
    namespace: context.namespace ?? 'default',
    credentials,
    proxyUrl: cluster['proxy-url'],
    impersonate: user.as,
    tls: () => {
      const ca = material(cluster['certificate-authority-data'], cluster['certificate-authority']);
      const cert = material(user['client-certificate-data'], user['client-certificate']);
      const key = material(user['client-key-data'], user['client-key']);
      return {
        ...(ca && { ca }),
        ...(cert && { cert }),
        ...(key && { key }),
        ...(cluster['tls-server-name'] !== undefined && { servername: cluster['tls-server-name'] }),
        ...(cluster['insecure-skip-tls-verify'] === true && { rejectUnauthorized: false }),
      };
    },
  };
}

function credentialsOf(user: UserEntry, folder: string): Credentials {
  // The order in which kubectl takes them: a token beats basic authentication, a token file beats the token beside it.
  if (user.tokenFile !== undefined) return tokenFile(resolve(folder, user.tokenFile));
  if (user.token !== undefined) return staticToken(user.token);
  if (user.username !== undefined) return basic(user.username, user.password ?? '');
  if (user.exec !== undefined) return execCredentials(user.exec, folder);
  return noCredentials;
}

function named<Kind extends string, T>(entries: Named<Kind, T>[] | undefined, kind: Kind, name: string): T | undefined {
  return entries?.find((entry) => entry.name === name)?.[kind];
}
