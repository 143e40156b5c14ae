import { createPublicKey, verify } from 'node:crypto';
import { DerError, DerReader, fromPemOrBase64, OID, PemError, TAG } from '../der/index.ts';
import { readPublicKey, WeakKeyError, type PublicKeyInfo } from '../keys/index.ts';
import { readName, type DistinguishedName } from '../names/index.ts';
import { CsrError } from './csr-error.ts';
import { readRequestedExtensions, type RequestedExtensions } from './requested-extensions.ts';

/** A certification request whose signature holds: whoever sent it has the private key. */
export interface CertificationRequest {
  readonly subject: DistinguishedName;
  readonly publicKey: PublicKeyInfo;
  readonly extensions: RequestedExtensions;
}

/** A request with a 4096-bit key and a hundred names has some 5 KiB; what is larger is a mistake or an attack. */
export const MAX_CSR_OCTETS = 16_384;

/** The request in a PEM block or in base64 of the DER. Throws {@link CsrError} and nothing else. */
export function parseCsrText(text: string): CertificationRequest {
  try {
    return parseCsr(fromPemOrBase64(text, ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST']));
  } catch (error) {
    if (error instanceof PemError) throw new CsrError('malformed-csr', error.message, { cause: error });
    throw error;
  }
}

/**
 * Reads a PKCS #10 request (RFC 2986 section 4) in strict DER and checks the proof of possession. Throws
 * {@link CsrError} and nothing else: `malformed-csr` with the byte offset, `weak-key`, `weak-signature`,
 * `bad-csr-signature`.
 */
export function parseCsr(bytes: Buffer): CertificationRequest {
  if (bytes.length > MAX_CSR_OCTETS) {
    throw new CsrError(
      'malformed-csr',
      `oversized: the request has ${bytes.length} octets; at most ${MAX_CSR_OCTETS} are allowed`,
    );
  }
  try {
    return read(bytes);
  } catch (error) {
    if (error instanceof DerError) throw new CsrError('malformed-csr', error.message, { cause: error });
    if (error instanceof WeakKeyError) throw new CsrError('weak-key', error.message, { cause: error });
    throw error;
  }
}

function read(bytes: Buffer): CertificationRequest {
  const outer = new DerReader(bytes);
  const request = outer.enter('CertificationRequest');
  outer.finish('the CertificationRequest');
  const infoStart = request.offset;
  const signed = request.raw('certificationRequestInfo', TAG.sequence);
  const algorithm = signatureAlgorithm(request);
  const signature = request.bitString('the signature');
  request.finish('the signature');

  const info = new DerReader(bytes, infoStart, infoStart + signed.length).enter('certificationRequestInfo');
  const versionAt = info.offset;
  const version = info.smallInteger('version');
  if (version !== 0) throw new DerError(versionAt, `version must be 0 (RFC 2986 section 4.1), found ${version}`);
  const subject = readName(info, 'subject');
  const publicKey = readPublicKey(info);
  // RFC 2986 wants the attributes, if need be empty; some writers leave them out, which loses nothing.
  const extensions = readRequestedExtensions(info);
  info.finish('certificationRequestInfo');
  checkPossession(publicKey, algorithm, signed, signature);
  return { subject, publicKey, extensions };
}

type SignatureAlgorithm = { readonly family: 'EC' | 'RSA'; readonly digest: string } | { readonly family: 'Ed25519' };

const accepted: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  [OID.ecdsaWithSha256, { family: 'EC', digest: 'sha256' }],
  [OID.ecdsaWithSha384, { family: 'EC', digest: 'sha384' }],
  [OID.ecdsaWithSha512, { family: 'EC', digest: 'sha512' }],
  [OID.sha256WithRsa, { family: 'RSA', digest: 'sha256' }],
  [OID.sha384WithRsa, { family: 'RSA', digest: 'sha384' }],
  [OID.sha512WithRsa, { family: 'RSA', digest: 'sha512' }],
  [OID.ed25519, { family: 'Ed25519' }],
]);

const broken: ReadonlyMap<string, string> = new Map([
  [OID.ecdsaWithSha1, 'ECDSA with SHA-1'],
  [OID.sha1WithRsa, 'RSA with SHA-1'],
  [OID.md5WithRsa, 'RSA with MD5'],
  [OID.md2WithRsa, 'RSA with MD2'],
]);

function signatureAlgorithm(request: DerReader): SignatureAlgorithm {
  const identifier = request.enter('signatureAlgorithm');
  const oid = identifier.oid('the signature algorithm identifier');
  const weak = broken.get(oid);
  if (weak !== undefined) {
    throw new CsrError(
      'weak-signature',
      `the request is signed by ${weak}; sign it with SHA-256 or better, or Ed25519`,
    );
  }
  const algorithm = accepted.get(oid);
  if (algorithm === undefined) {
    throw new CsrError(
      'weak-signature',
      `signature algorithm ${oid} is not supported; allowed: ECDSA or RSA (PKCS #1 v1.5) with SHA-256, SHA-384 or SHA-512, Ed25519`,
    );
  }
  if (algorithm.family === 'RSA' && !identifier.done) identifier.content('the signature parameters', TAG.null);
  identifier.finish('the signature algorithm');
  return algorithm;
}

function checkPossession(key: PublicKeyInfo, algorithm: SignatureAlgorithm, signed: Buffer, signature: Buffer): void {
  const fault = (why: string, cause?: unknown): CsrError => new CsrError('bad-csr-signature', why, { cause });
  if (!key.keyType.startsWith(algorithm.family)) {
    throw fault(`the key is ${key.keyType}, yet the signature algorithm is for ${algorithm.family} keys`);
  }
  let valid: boolean;
  try {
    const publicKey = createPublicKey({ key: key.spki, format: 'der', type: 'spki' });
    valid = verify('digest' in algorithm ? algorithm.digest : null, signed, publicKey, signature);
  } catch (cause) {
    // OpenSSL refuses points that are not on the curve and the like, in words of its own.
    throw new CsrError(
      'malformed-csr',
      'subjectPublicKey: the key is none that OpenSSL takes, such as a point off its curve',
      { cause },
    );
  }
  if (!valid) throw fault('the signature does not belong to the key in the request (proof of possession)');
}
