import { OID, write as w } from '../der/index.ts';

/** One Extension (RFC 5280 section 4.1): `critical` is left out where false, as DER wants for a default. */
export const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  critical ? w.sequence(w.oid(id), w.derTrue, w.octetString(value)) : w.sequence(w.oid(id), w.octetString(value));

/** Bits of KeyUsage (RFC 5280 section 4.2.1.3). */
export const KEY_USAGE = { digitalSignature: 0, keyEncipherment: 2, keyCertSign: 5, cRLSign: 6 } as const;

export const keyUsage = (...usages: readonly (keyof typeof KEY_USAGE)[]): Buffer =>
  extension(OID.keyUsage, true, w.namedBits(...usages.map((usage) => KEY_USAGE[usage])));

/** For an authority: cA with the path length; for an end entity: the empty SEQUENCE, critical all the same. */
export const basicConstraints = (ca: false | { pathLength: number }): Buffer =>
  extension(OID.basicConstraints, true, ca === false ? w.sequence() : w.sequence(w.derTrue, w.integer(ca.pathLength)));

export const subjectKeyIdentifier = (identifier: Buffer): Buffer =>
  extension(OID.subjectKeyIdentifier, false, w.octetString(identifier));

export const authorityKeyIdentifier = (identifier: Buffer): Buffer =>
  extension(OID.authorityKeyIdentifier, false, w.sequence(w.implicit(0, identifier)));

export const extKeyUsage = (...purposes: readonly string[]): Buffer =>
  extension(OID.extKeyUsage, false, w.sequence(...purposes.map(w.oid)));

/** One distribution point with one URL (RFC 5280 section 4.2.1.13). */
export const crlDistributionPoint = (url: string): Buffer =>
  extension(
    OID.crlDistributionPoints,
    false,
    w.sequence(w.sequence(w.tagged(0, w.tagged(0, w.implicit(6, Buffer.from(url, 'latin1')))))),
  );
