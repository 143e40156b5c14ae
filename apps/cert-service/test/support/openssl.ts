import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs openssl with files of these contents in a folder of its own; answers what it printed (stdout, then stderr). */
export async function openssl(args: readonly string[], files: Record<string, string | Buffer> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'keelson-openssl-'));
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
    const { stdout, stderr } = await run('openssl', [...args], { cwd: folder });
    return stdout + stderr;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Key types as openssl's `-newkey` wants them. */
export const keyOptions = {
  'EC-P256': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'EC-P384': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  'EC-P521': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-521'],
  'RSA-1024': ['-newkey', 'rsa:1024'],
  'RSA-2048': ['-newkey', 'rsa:2048'],
  'RSA-3072': ['-newkey', 'rsa:3072'],
  'RSA-4096': ['-newkey', 'rsa:4096'],
  Ed25519: ['-newkey', 'ed25519'],
} as const;

export interface CsrOptions {
  readonly key?: keyof typeof keyOptions;
  /** As openssl's `-subj`; `/` for an empty one. */
  readonly subject?: string;
  /** As in `subjectAltName=...`; empty for none. */
  readonly names?: string;
  readonly digest?: string;
  readonly extensions?: readonly string[];
  readonly der?: boolean;
}

/** A request made by openssl, PEM (or, with `der`, base64 of the DER). */
export async function opensslCsr(options: CsrOptions = {}): Promise<string> {
  const {
    key = 'EC-P256',
    subject = '/CN=shop.example',
    names = 'DNS:shop.example',
    digest,
    extensions = [],
  } = options;
  const text = await openssl([
    'req',
    '-new',
    '-nodes',
    '-utf8',
    ...keyOptions[key],
    '-keyout',
    'key.pem',
    '-subj',
    subject,
    ...(digest === undefined ? [] : [`-${digest}`]),
    ...[...(names === '' ? [] : [`subjectAltName=${names}`]), ...extensions].flatMap((one) => ['-addext', one]),
  ]);
  const pem = /-----BEGIN CERTIFICATE REQUEST-----[\s\S]*-----END CERTIFICATE REQUEST-----\n/.exec(text)![0];
  return options.der === true ? pem.replace(/-----.*-----/g, '').replace(/\s/g, '') : pem;
}
