import type { KeyType } from '@keelson/contracts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  crlDistributionPoint,
  extension,
  extKeyUsage,
  keyUsage,
  subjectKeyIdentifier,
} from '../authority/extensions.ts';
import { ecdsaWithSha256, type Issuer } from '../authority/issuer.ts';
import { OID, write } from '../der/index.ts';
import { encodeName, ipOctets } from '../names/index.ts';
import type { PublicKeyInfo } from '../keys/index.ts';
import type { SubjectNames } from './names.ts';
import type { ProfileName } from './profile-name.ts';

const purposes: Readonly<Record<ProfileName, readonly string[]>> = {
  server: [OID.serverAuth],
  client: [OID.clientAuth],
  peer: [OID.serverAuth, OID.clientAuth],
};

/** What varies from one certificate of a profile to the next. */
export interface LeafFields {
  readonly serial: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly names: SubjectNames;
  readonly publicKey: PublicKeyInfo;
}

/**
 * A profile under one issuer, everything that is the same in each certificate written beforehand: version, signature
 * algorithm, issuer name, constraints, usages, authority key identifier, distribution point. What remains for each is
 * five short elements.
 */
export class LeafProfile {
  readonly name: ProfileName;
  readonly #version = write.tagged(0, write.integer(2));
  readonly #issuerName: Buffer;
  readonly #common: Buffer;
  readonly #usage: Readonly<Record<'rsa' | 'other', Buffer>>;

  constructor(name: ProfileName, issuer: Issuer, crlUrl: string | undefined) {
    this.name = name;
    this.#issuerName = issuer.name;
    this.#common = Buffer.concat([
      basicConstraints(false),
      extKeyUsage(...purposes[name]),
      authorityKeyIdentifier(issuer.keyIdentifier),
      ...(crlUrl === undefined ? [] : [crlDistributionPoint(crlUrl)]),
    ]);
    // Only RSA keys can encipher a key (TLS 1.2 without forward secrecy); on others the bit would be false (RFC 8813).
    this.#usage = { rsa: keyUsage('digitalSignature', 'keyEncipherment'), other: keyUsage('digitalSignature') };
  }

  /** The TBSCertificate (RFC 5280 section 4.1.2) of these fields. */
  toBeSigned({ serial, notBefore, notAfter, names, publicKey }: LeafFields): Buffer {
    const subject = encodeName(names.subject);
    return write.sequence(
      this.#version,
      write.unsignedInteger(serial),
      ecdsaWithSha256,
      this.#issuerName,
      write.sequence(write.time(notBefore), write.time(notAfter)),
      subject,
      publicKey.spki,
      write.tagged(
        3,
        write.sequence(
          this.#common,
          this.#usage[isRsa(publicKey.keyType) ? 'rsa' : 'other'],
          subjectKeyIdentifier(publicKey.identifier),
          ...alternativeNames(names),
        ),
      ),
    );
  }
}

const isRsa = (keyType: KeyType): boolean => keyType.startsWith('RSA');

/** subjectAltName: critical only where the subject is empty (RFC 5280 section 4.2.1.6); left out where there is none. */
function alternativeNames(names: SubjectNames): Buffer[] {
  const general = [
    ...names.dnsNames.map((name) => write.implicit(2, Buffer.from(name, 'latin1'))),
    ...names.uris.map((uri) => write.implicit(6, Buffer.from(uri, 'latin1'))),
    ...names.ipAddresses.map((address) => write.implicit(7, ipOctets(address))),
  ];
  if (general.length === 0) return [];
  return [extension(OID.subjectAltName, names.subject.length === 0, write.sequence(...general))];
}
