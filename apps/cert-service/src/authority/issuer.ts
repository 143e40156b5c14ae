import { createPrivateKey, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { DerReader, OID, TAG, toPem, write } from '../der/index.ts';
import { nameText, readName } from '../names/index.ts';

/** AlgorithmIdentifier of ecdsa-with-SHA256: no parameters (RFC 5758 section 3.2). */
export const ecdsaWithSha256 = write.sequence(write.oid(OID.ecdsaWithSha256));

/** A certificate authority that signs: its certificate, and its key where only {@link Issuer.sign} reaches it. */
export class Issuer {
  /** DER of its certificate. */
  readonly certificate: Buffer;
  readonly pem: string;
  /** Its subject as DER: the issuer field of all that it signs, octet by octet. */
  readonly name: Buffer;
  /** The same as RFC 4514 text. */
  readonly subject: string;
  /** Its subject key identifier: the authority key identifier of all that it signs. */
  readonly keyIdentifier: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly #key: KeyObject;

  /** `key` is PKCS #8 in DER. Throws where it does not belong to the certificate. */
  constructor(certificate: Buffer, key: Buffer) {
    const parsed = new X509Certificate(certificate);
    this.#key = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
    if (!parsed.checkPrivateKey(this.#key))
      throw new Error('the stored key does not belong to the authority certificate');
    this.certificate = certificate;
    this.pem = toPem('CERTIFICATE', certificate);
    const { name, keyIdentifier, notBefore, notAfter } = readIssuer(certificate);
    this.name = name;
    this.subject = nameText(readName(new DerReader(name), 'subject'));
    this.keyIdentifier = keyIdentifier;
    this.notBefore = notBefore;
    this.notAfter = notAfter;
  }

  /** From when until when a certificate is valid. */
  static validityOf(certificate: Buffer): { notBefore: Date; notAfter: Date } {
    return readIssuer(certificate);
  }

  /** Signs and wraps: `SEQUENCE { toBeSigned, ecdsa-with-SHA256, signature }`, a certificate or a CRL. */
  wrap(toBeSigned: Buffer): Buffer {
    return wrapSigned(toBeSigned, this.#key);
  }
}

/** `SEQUENCE { toBeSigned, ecdsa-with-SHA256, signature }` (RFC 5280 section 4.1.1). */
export function wrapSigned(toBeSigned: Buffer, key: KeyObject): Buffer {
  return write.sequence(toBeSigned, ecdsaWithSha256, write.bitString(sign('sha256', toBeSigned, key)));
}

function readIssuer(certificate: Buffer): Pick<Issuer, 'name' | 'keyIdentifier' | 'notBefore' | 'notAfter'> {
  const tbs = new DerReader(certificate).enter('Certificate').enter('tbsCertificate');
  tbs.element('version', 0xa0);
  tbs.element('serialNumber', TAG.integer);
  tbs.element('signature', TAG.sequence);
  tbs.element('issuer', TAG.sequence);
  const validity = tbs.enter('validity');
  const notBefore = validity.time('notBefore');
  const notAfter = validity.time('notAfter');
  const name = tbs.raw('subject', TAG.sequence);
  tbs.element('subjectPublicKeyInfo', TAG.sequence);
  const extensions = tbs.enter('extensions', 0xa3).enter('extensions');
  while (!extensions.done) {
    const extension = extensions.enter('extension');
    const id = extension.oid('extnID');
    if (extension.peek() === TAG.boolean) extension.boolean('critical');
    const value = extension.enter('extnValue', TAG.octetString);
    if (id === OID.subjectKeyIdentifier) {
      return { name, keyIdentifier: value.content('subjectKeyIdentifier', TAG.octetString), notBefore, notAfter };
    }
  }
  throw new Error('the authority certificate has no subject key identifier');
}
