import { createHash } from 'node:crypto';
import type { KeyType } from '@keelson/contracts';
import { DerError, DerReader, OID, TAG } from '../der/index.ts';

/** A subject's public key as it stands in a request. */
export interface PublicKeyInfo {
  readonly keyType: KeyType;
  /** The whole SubjectPublicKeyInfo. */
  readonly spki: Buffer;
  /** SHA-256 of the SubjectPublicKeyInfo, hexadecimal. */
  readonly hash: string;
  /** Subject key identifier: RFC 7093 section 2 method 1, the leftmost 160 bits of SHA-256 of the key's bits. */
  readonly identifier: Buffer;
}

/** The key is well-formed, but none that a certificate is given for. */
export class WeakKeyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WeakKeyError';
  }
}

/** Key types by what the SubjectPublicKeyInfo says; allowed sizes as in the contract. */
const allowed = 'EC P-256 or P-384, RSA of 2048, 3072 or 4096 bits, Ed25519';

/** Reads a SubjectPublicKeyInfo (RFC 5480, 3279, 8410). Throws DerError, or WeakKeyError for what is not accepted. */
export function readPublicKey(reader: DerReader): PublicKeyInfo {
  const start = reader.offset;
  const spki = reader.raw('subjectPublicKeyInfo', TAG.sequence);
  const info = new DerReader(reader.bytes, start, start + spki.length).enter('subjectPublicKeyInfo');
  const algorithm = info.enter('the public key algorithm');
  const oid = algorithm.oid('the public key algorithm identifier');
  const at = info.offset;
  const bits = info.bitString('subjectPublicKey');
  info.finish('subjectPublicKeyInfo');
  return {
    keyType: keyTypeOf(oid, algorithm, bits, at),
    spki,
    hash: createHash('sha256').update(spki).digest('hex'),
    identifier: createHash('sha256').update(bits).digest().subarray(0, 20),
  };
}

function keyTypeOf(oid: string, algorithm: DerReader, bits: Buffer, at: number): KeyType {
  switch (oid) {
    case OID.ecPublicKey: {
      if (algorithm.peek() !== TAG.oid) throw new WeakKeyError(`the EC key has no named curve; allowed: ${allowed}`);
      const curve = algorithm.oid('the curve');
      algorithm.finish('the public key algorithm');
      const known = curve === OID.prime256v1 ? 32 : curve === OID.secp384r1 ? 48 : undefined;
      if (known === undefined) throw new WeakKeyError(`curve ${curve} is not supported; allowed: ${allowed}`);
      // RFC 5480 section 2.2: the uncompressed form is the one that everybody must support.
      if (bits[0] !== 0x04 || bits.length !== 1 + 2 * known) {
        throw new DerError(
          at,
          `the EC point must be uncompressed and have ${1 + 2 * known} octets, found ${bits.length}`,
        );
      }
      return known === 32 ? 'EC-P256' : 'EC-P384';
    }
    case OID.ed25519:
      algorithm.finish('the Ed25519 algorithm, which has no parameters (RFC 8410 section 3)');
      if (bits.length !== 32) throw new DerError(at, `an Ed25519 key has 32 octets, found ${bits.length}`);
      return 'Ed25519';
    case OID.rsaEncryption:
      if (algorithm.content('the RSA parameters', TAG.null).length !== 0) {
        throw new DerError(at, 'the RSA parameters must be NULL');
      }
      algorithm.finish('the public key algorithm');
      return rsaType(bits, at);
    default:
      throw new WeakKeyError(`public key algorithm ${oid} is not supported; allowed: ${allowed}`);
  }
}

function rsaType(bits: Buffer, at: number): KeyType {
  // Read in place: the offsets of its errors then count from the first byte of the request, as all others do.
  const reader = new DerReader(bits);
  try {
    const key = reader.enter('RSAPublicKey');
    const modulus = key.integer('the RSA modulus');
    const exponent = key.integer('the RSA exponent');
    key.finish('RSAPublicKey');
    reader.finish('RSAPublicKey');
    if (modulus[0]! >= 0x80 || exponent[0]! >= 0x80) throw new DerError(0, 'modulus and exponent must be positive');
    const magnitude = modulus[0] === 0 ? modulus.subarray(1) : modulus;
    const length = magnitude.length * 8 - Math.clz32(magnitude[0] ?? 0) + 24;
    if (length < 2048) throw new WeakKeyError(`the RSA key has ${length} bits; at least 2048 are needed`);
    if (length !== 2048 && length !== 3072 && length !== 4096) {
      throw new WeakKeyError(`the RSA key has ${length} bits; allowed: ${allowed}`);
    }
    const e = exponent.length > 6 ? Number.MAX_SAFE_INTEGER : exponent.readUIntBE(0, exponent.length);
    const odd = (exponent[exponent.length - 1]! & 1) === 1 && (magnitude[magnitude.length - 1]! & 1) === 1;
    // NIST SP 800-89 section 5.3.3, as the Baseline Requirements 6.1.6 take it over: odd, 2^16+1 or more.
    if (!odd || e < 65_537) throw new WeakKeyError(`the RSA exponent must be odd and at least 65537, the modulus odd`);
    return `RSA-${length}`;
  } catch (error) {
    if (error instanceof DerError) throw new DerError(at, `subjectPublicKey: ${error.message}`);
    throw error;
  }
}
