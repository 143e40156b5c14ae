import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Who may do what in the local platform; the tokens themselves are random and new at every start. */
const HOLDERS = [
  { name: 'operator', team: '*', scopes: ['*'] },
  { name: 'canary-controller', team: '*', scopes: ['events:read'] },
  { name: 'customers', team: 'shop', scopes: ['orders:read', 'orders:write'] },
] as const;

type Holder = (typeof HOLDERS)[number]['name'];

export interface Credentials {
  readonly tokens: Readonly<Record<Holder, string>>;
  /** What TOKENS_FILE holds: hashes, no token. */
  readonly tokensFileText: string;
  readonly tokensFile: string;
  /** Key under which cert-service encrypts its private keys, base64 of 32 bytes. */
  readonly keyEncryptionKeyFile: string;
}

/** Makes the credentials of this start; the key-encryption key stays with the data it protects. */
export function makeCredentials(runFolder: string, dataFolder: string): Credentials {
  const tokens = Object.fromEntries(
    HOLDERS.map(({ name }) => [name, `keelson_${randomBytes(24).toString('base64url')}`]),
  ) as Record<Holder, string>;
  const entries = HOLDERS.map(({ name, team, scopes }) => ({
    name,
    team,
    scopes,
    sha256: createHash('sha256').update(tokens[name]).digest('hex'),
  }));
  const tokensFileText = `${JSON.stringify(entries, undefined, 2)}\n`;
  const tokensFile = join(runFolder, 'tokens.json');
  writeFileSync(tokensFile, tokensFileText, { mode: 0o600 });
  const keyEncryptionKeyFile = join(dataFolder, 'key-encryption-key');
  if (!existsSync(keyEncryptionKeyFile)) {
    writeFileSync(keyEncryptionKeyFile, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  }
  readFileSync(keyEncryptionKeyFile); // fails here, with its name, rather than later in the service
  return { tokens, tokensFileText, tokensFile, keyEncryptionKeyFile };
}
