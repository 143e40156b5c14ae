import { renameSync, writeFileSync } from 'node:fs';

export interface KubeconfigInput {
  url: string;
  certificate: string;
  token: string;
}

/** A kubeconfig for one server and one token. JSON is YAML, and every client reads it. */
export function kubeconfig({ url, certificate, token }: KubeconfigInput): string {
  const cluster = { server: url, 'certificate-authority-data': Buffer.from(certificate).toString('base64') };
  return `${JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'sandbox', cluster }],
      users: [{ name: 'admin', user: { token } }],
      contexts: [{ name: 'sandbox', context: { cluster: 'sandbox', user: 'admin', namespace: 'default' } }],
      'current-context': 'sandbox',
    },
    null,
    2,
  )}\n`;
}

/** Writes it whole or not at all, readable by its owner only: it holds an administrator's token. */
export function writeKubeconfig(path: string, input: KubeconfigInput): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, kubeconfig(input), { mode: 0o600 });
  renameSync(temporary, path);
}
