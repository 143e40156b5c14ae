import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { OID, toPem, write } from '../../src/der/index.ts';
import { encodeName, ipOctets, type DistinguishedName } from '../../src/names/index.ts';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export const p256 = (): KeyPair => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

const { sequence, setOf, tagged, implicit, octetString, integer, bitString, oid, derTrue, derNull } = write;

export interface CsrFields {
  readonly keys?: KeyPair;
  readonly subject?: DistinguishedName;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  /** Further GeneralNames as they are to stand there. */
  readonly generalNames?: readonly Buffer[];
  /** Further extensions as they are to stand there. */
  readonly extensions?: readonly Buffer[];
  /** Further attributes. */
  readonly attributes?: readonly Buffer[];
  readonly version?: number;
  /** Hash and identifier of the signature. */
  readonly digest?: string | null;
  readonly algorithm?: Buffer;
  /** Signs in place of the key in the request. */
  readonly signer?: KeyObject;
  readonly spki?: Buffer;
  /** Changes the signed part before it is signed. */
  readonly mangle?: (info: Buffer) => Buffer;
}

export const ecdsaWithSha256 = sequence(oid(OID.ecdsaWithSha256));
export const rsaWithSha256 = sequence(oid(OID.sha256WithRsa), derNull);

export const anExtension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(critical ? [derTrue] : []), octetString(value));

/** A request with sound defaults: a P-256 key, one DNS name, signed by ECDSA with SHA-256. DER. */
export function aCsr(fields: CsrFields = {}): Buffer {
  const { keys = p256(), subject = [[{ type: 'CN', value: 'shop.example' }]], dnsNames = ['shop.example'] } = fields;
  const general = [
    ...dnsNames.map((name) => implicit(2, Buffer.from(name, 'utf8'))),
    ...(fields.ipAddresses ?? []).map((address) => implicit(7, ipOctets(address))),
    ...(fields.generalNames ?? []),
  ];
  const extensions = [
    ...(general.length === 0 ? [] : [anExtension(OID.subjectAltName, false, sequence(...general))]),
    ...(fields.extensions ?? []),
  ];
  const requested = sequence(oid(OID.extensionRequest), setOf(sequence(...extensions)));
  const plain = sequence(
    integer(fields.version ?? 0),
    encodeName(subject),
    fields.spki ?? keys.publicKey.export({ format: 'der', type: 'spki' }),
    tagged(0, ...(extensions.length === 0 ? [] : [requested]), ...(fields.attributes ?? [])),
  );
  const info = fields.mangle === undefined ? plain : fields.mangle(plain);
  const digest = fields.digest === undefined ? 'sha256' : fields.digest;
  const signature = sign(digest, info, fields.signer ?? keys.privateKey);
  return sequence(info, fields.algorithm ?? ecdsaWithSha256, bitString(signature));
}

export const csrPem = (der: Buffer): string => toPem('CERTIFICATE REQUEST', der);
