import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** What a request is signed with. */
export interface Credentials {
  /** Value of the Authorization header; undefined where a client certificate says who we are. */
  authorization(): Promise<string | undefined>;
  /** The server answered 401: forget what is cached. */
  refused(): void;
  /** A client certificate that the credentials bring with them (exec plug-ins). */
  certificate?(): Promise<{ cert: string; key: string } | undefined>;
}

export const noCredentials: Credentials = { authorization: () => Promise.resolve(undefined), refused: () => undefined };

export const staticToken = (token: string): Credentials => ({
  authorization: () => Promise.resolve(`Bearer ${token}`),
  refused: () => undefined,
});

export const basic = (username: string, password: string): Credentials => ({
  authorization: () => Promise.resolve(`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`),
  refused: () => undefined,
});

/** A bound service-account token is renewed in place by kubelet at 80 % of its life, so a minute old is new enough. */
const tokenFileMs = 60_000;

/** A token in a file, read again every minute and after a 401. */
export function tokenFile(path: string, now: () => number = () => performance.now()): Credentials {
  let read: { token: string; at: number } | undefined;
  return {
    authorization: () => {
      if (read === undefined || now() - read.at >= tokenFileMs) {
        read = { token: readFileSync(path, 'utf8').trim(), at: now() };
      }
      return Promise.resolve(`Bearer ${read.token}`);
    },
    refused: () => {
      read = undefined;
    },
  };
}

type ExecSettings = {
  apiVersion?: string;
  command?: string;
  args?: string[] | null;
  env?: { name: string; value: string }[] | null;
};
type ExecCredential = {
  status?: {
    token?: string;
    expirationTimestamp?: string;
    clientCertificateData?: string;
    clientKeyData?: string;
  };
};

/** How long an exec plug-in may take. */
const execMs = 60_000;
/** A credential this close to its end is asked for anew. */
const execMarginMs = 10_000;

/**
 * A credential plug-in (client.authentication.k8s.io ExecCredential): run when needed, kept until it expires or is
 * refused. It runs without a terminal, so one that wants to ask a question fails with its own words.
 */
export function execCredentials(settings: unknown, folder: string): Credentials {
  const exec = settings as ExecSettings;
  let held: Promise<NonNullable<ExecCredential['status']>> | undefined;
  const current = async (): Promise<NonNullable<ExecCredential['status']>> => {
    held ??= run(exec, folder);
    try {
      const status = await held;
      const ends = status.expirationTimestamp === undefined ? Infinity : Date.parse(status.expirationTimestamp);
      if (Date.now() < ends - execMarginMs) return status;
    } catch (error) {
      held = undefined;
      throw error;
    }
    held = run(exec, folder);
    return held;
  };
  return {
    authorization: async () => {
      const { token } = await current();
      return token === undefined ? undefined : `Bearer ${token}`;
    },
    certificate: async () => {
      const { clientCertificateData: cert, clientKeyData: key } = await current();
      return cert !== undefined && key !== undefined ? { cert, key } : undefined;
    },
    refused: () => {
      held = undefined;
    },
  };
}

async function run(exec: ExecSettings, folder: string): Promise<NonNullable<ExecCredential['status']>> {
  const { command } = exec;
  if (command === undefined) throw new Error('the kubeconfig user has exec without a command');
  const info = {
    apiVersion: exec.apiVersion ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: { interactive: false },
  };
  const env = { ...process.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) } as NodeJS.ProcessEnv;
  for (const { name, value } of exec.env ?? []) env[name] = value;
  // A command with a slash is relative to the kubeconfig, a bare one is looked up on PATH, as kubectl does it.
  const file = command.includes('/') ? resolve(folder, command) : command;
  const stdout = await new Promise<string>((done, failed) => {
    execFile(file, exec.args ?? [], { env, timeout: execMs, maxBuffer: 1 << 20 }, (error, out, err) => {
      if (error === null) done(out);
      else failed(new Error(`credential plug-in ${command} failed: ${err.trim() || error.message}`, { cause: error }));
    });
  });
  const { status } = JSON.parse(stdout) as ExecCredential;
  if (status === undefined) throw new Error(`credential plug-in ${command} printed no status`);
  return status;
}
