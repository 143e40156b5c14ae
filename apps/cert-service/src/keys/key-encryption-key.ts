import { scrypt } from 'node:crypto';
import { promisify } from 'node:util';

/** What opens the keys at rest, as configured: 32 random bytes, or a passphrase from which they are derived. */
export type KeyEncryptionSecret =
  { readonly kind: 'key'; readonly key: Buffer } | { readonly kind: 'passphrase'; readonly passphrase: string };

/** How the 32 bytes came about; stored beside the keys, secret in no part. */
export type KeyDerivation =
  | { readonly kind: 'none' }
  | { readonly kind: 'scrypt'; readonly salt: string; readonly n: number; readonly r: number; readonly p: number };

/** The database was set up with a key, and a passphrase is given, or the other way round. */
export class WrongSecretKindError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WrongSecretKindError';
  }
}

/** scrypt cost of a new installation: 64 MiB and some 0.4 s, one of the settings that OWASP holds equivalent. */
export const SCRYPT = { n: 1 << 16, r: 8, p: 2 } as const;

/** The 32 bytes of a secret under a derivation. Throws {@link WrongSecretKindError} where the two do not belong together. */
export async function deriveKey(secret: KeyEncryptionSecret, derivation: KeyDerivation): Promise<Buffer> {
  if (secret.kind === 'key') {
    if (derivation.kind !== 'none') {
      throw new WrongSecretKindError(
        'is given, yet the keys in this database were encrypted under a passphrase: set KEY_ENCRYPTION_PASSPHRASE instead',
      );
    }
    return secret.key;
  }
  if (derivation.kind !== 'scrypt') {
    throw new WrongSecretKindError(
      'is given, yet the keys in this database were encrypted under a key: set KEY_ENCRYPTION_KEY instead',
    );
  }
  const { n, r, p } = derivation;
  const options = { N: n, r, p, maxmem: 256 * n * r };
  const derive = promisify<string, Buffer, number, typeof options, Buffer>(scrypt);
  return derive(secret.passphrase.normalize('NFC'), Buffer.from(derivation.salt, 'base64'), 32, options);
}
