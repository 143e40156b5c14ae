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
  clusters?: { name: string; cluster: ClusterEntry }[];
  users?: { name: string; user: UserEntry }[];
  contexts?: { name: string; context: ContextEntry }[];
};

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Where a program runs decides: `KUBECONFIG`, else `~/.kube/config`, else the pod's service account.
 * Throws a sentence that names all three when there is none.
 */
export function accessFromEnvironment(env: NodeJS.ProcessEnv = process.env): ClusterAccess {
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  // As kubectl: missing files are left out, but not all of them.
  const found = listed.filter((path) => existsSync(path));
  if (found.length > 0) return accessFromKubeconfig(found);
  if (listed.length > 0) throw new Error(`KUBECONFIG is ${listed.join(delimiter)}; there is no such file`);
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

/**
 * One context of a kubeconfig file, `current-context` unless named. Of several files the first one that has a context,
 * cluster or user of a name gives it, as with kubectl. Errors name the file and the field.
 */
export function accessFromKubeconfig(paths: string | readonly string[], contextName?: string): ClusterAccess {
  const files = (typeof paths === 'string' ? [paths] : paths).map(readKubeconfig);
  const fail = (what: string): never => {
    throw new Error(`kubeconfig ${files.map(({ path }) => path).join(', ')}: ${what}`);
  };
  const wanted =
    contextName ??
    files.map(({ config }) => config['current-context']).find((name) => name !== undefined && name !== '');
  if (wanted === undefined) return fail('has no current-context');
  const { entry: context } = first(files, 'contexts', 'context', wanted) ?? fail(`has no context "${wanted}"`);
  const { entry: cluster, folder: clusterFolder } =
    first(files, 'clusters', 'cluster', context.cluster ?? '') ?? fail(`has no cluster "${context.cluster}"`);
  const { entry: user, folder } =
    context.user === undefined
      ? { entry: {} as UserEntry, folder: clusterFolder }
      : (first(files, 'users', 'user', context.user) ?? fail(`has no user "${context.user}"`));
  if (cluster.server === undefined || !URL.canParse(cluster.server)) {
    return fail(`cluster "${context.cluster}" has server ${JSON.stringify(cluster.server)}; it should be a URL`);
  }
  if (user['auth-provider'] !== undefined) {
    return fail(
      `user "${context.user}" uses auth-provider "${user['auth-provider'].name}", which is not supported; use exec, a token or a client certificate`,
    );
  }

  const credentials = credentialsOf(user, folder);
  return {
    server: cluster.server.replace(/\/+$/, ''),
    namespace: context.namespace ?? 'default',
    credentials,
    proxyUrl: cluster['proxy-url'],
    impersonate: user.as,
    tls: () => {
      const ca = material(clusterFolder, cluster['certificate-authority-data'], cluster['certificate-authority']);
      const cert = material(folder, user['client-certificate-data'], user['client-certificate']);
      const key = material(folder, user['client-key-data'], user['client-key']);
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

type KubeconfigFile = { path: string; folder: string; config: Kubeconfig };

function readKubeconfig(path: string): KubeconfigFile {
  try {
    const config = parse(readFileSync(path, 'utf8')) as Kubeconfig | null;
    if (config === null || typeof config !== 'object')
      throw new Error('is empty; it should be a YAML document of kind Config');
    return { path, folder: dirname(path), config };
  } catch (error) {
    throw new Error(`kubeconfig ${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

type Sections = { clusters: ClusterEntry; users: UserEntry; contexts: ContextEntry };

function first<Section extends keyof Sections>(
  files: KubeconfigFile[],
  section: Section,
  kind: string,
  name: string,
): { entry: Sections[Section]; folder: string } | undefined {
  for (const { config, folder } of files) {
    const entries = config[section] as (Record<string, unknown> & { name: string })[] | undefined;
    const found = entries?.find((entry) => entry.name === name)?.[kind] as Sections[Section] | undefined;
    if (found !== undefined && found !== null) return { entry: found, folder };
  }
  return undefined;
}

function material(folder: string, data: string | undefined, file: string | undefined): Buffer | undefined {
  if (data !== undefined) return Buffer.from(data, 'base64');
  return file === undefined ? undefined : readFileSync(resolve(folder, file));
}
