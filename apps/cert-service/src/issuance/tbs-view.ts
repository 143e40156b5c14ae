import { DerReader, OID, TAG } from '../der/index.ts';

/** One extension as it stands in a certificate. */
export interface ExtensionView {
  readonly id: string;
  readonly critical: boolean;
  /** Content of extnValue. */
  readonly value: Buffer;
}

/** A TBSCertificate read back from its octets, without knowing how they were written. */
export interface TbsView {
  readonly version: number;
  readonly serial: Buffer;
  readonly algorithm: Buffer;
  readonly issuer: Buffer;
  readonly notBefore: { readonly at: Date; readonly tag: number };
  readonly notAfter: { readonly at: Date; readonly tag: number };
  readonly subject: Buffer;
  readonly spki: Buffer;
  /** Algorithm identifier of the subject's key, dotted. */
  readonly keyAlgorithm: string;
  readonly extensions: readonly ExtensionView[];
}

/** Reads a TBSCertificate strictly (RFC 5280 section 4.1). Throws DerError. */
export function viewTbs(bytes: Buffer): TbsView {
  const outer = new DerReader(bytes);
  const tbs = outer.enter('tbsCertificate');
  outer.finish('tbsCertificate');
  const version = tbs.enter('version', 0xa0).smallInteger('version');
  const serial = tbs.integer('serialNumber');
  const algorithm = tbs.raw('signature', TAG.sequence);
  const issuer = tbs.raw('issuer', TAG.sequence);
  const validity = tbs.enter('validity');
  const notBefore = { tag: validity.peek() ?? 0, at: validity.time('notBefore') };
  const notAfter = { tag: validity.peek() ?? 0, at: validity.time('notAfter') };
  validity.finish('validity');
  const subject = tbs.raw('subject', TAG.sequence);
  const spki = tbs.raw('subjectPublicKeyInfo', TAG.sequence);
  const keyAlgorithm = new DerReader(spki).enter('spki').enter('algorithm').oid('algorithm');
  const list = tbs.enter('extensions', 0xa3).enter('extensions');
  tbs.finish('extensions');
  const extensions: ExtensionView[] = [];
  while (!list.done) {
    const extension = list.enter('extension');
    const id = extension.oid('extnID');
    const critical = extension.peek() === TAG.boolean && extension.boolean('critical');
    extensions.push({ id, critical, value: extension.content('extnValue', TAG.octetString) });
    extension.finish('extension');
  }
  return { version, serial, algorithm, issuer, notBefore, notAfter, subject, spki, keyAlgorithm, extensions };
}

/** The extension of this identifier, if it is there. */
export const extensionOf = (tbs: TbsView, id: (typeof OID)[keyof typeof OID]): ExtensionView | undefined =>
  tbs.extensions.find((extension) => extension.id === id);
