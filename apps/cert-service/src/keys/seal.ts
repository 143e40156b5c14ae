import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** The key does not open the box, or the box was altered: AES-GCM cannot tell which. */
export class SealError extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(
      `${what} cannot be opened: the key-encryption key is another one, or the stored octets were altered`,
      options,
    );
    this.name = 'SealError';
  }
}

const VERSION = 1;
const NONCE = 12;
const AUTH_TAG = 16;

/**
 * Encrypts under a 32-byte key with AES-256-GCM: version octet, 12-byte nonce, 16-byte tag, ciphertext. `purpose` is
 * authenticated with it, so that one sealed key cannot be put in the place of another.
 */
export function seal(key: Buffer, purpose: string, plain: Buffer): Buffer {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: AUTH_TAG });
  cipher.setAAD(Buffer.from(purpose, 'utf8'));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([Buffer.from([VERSION]), nonce, cipher.getAuthTag(), body]);
}

/** Opens what {@link seal} made. Throws {@link SealError}. */
export function open(key: Buffer, purpose: string, sealed: Buffer): Buffer {
  if (sealed.length < 1 + NONCE + AUTH_TAG || sealed[0] !== VERSION) throw new SealError(purpose);
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + NONCE), { authTagLength: AUTH_TAG });
  decipher.setAAD(Buffer.from(purpose, 'utf8'));
  decipher.setAuthTag(sealed.subarray(1 + NONCE, 1 + NONCE + AUTH_TAG));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(1 + NONCE + AUTH_TAG)), decipher.final()]);
  } catch (cause) {
    throw new SealError(purpose, { cause });
  }
}
