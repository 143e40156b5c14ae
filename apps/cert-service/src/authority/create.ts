import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { DerReader, write } from '../der/index.ts';
import { readPublicKey } from '../keys/index.ts';
import { encodeName, type DistinguishedName } from '../names/index.ts';
import { randomSerial } from '../issuance/serial.ts';
import { authorityKeyIdentifier, basicConstraints, keyUsage, subjectKeyIdentifier } from './extensions.ts';
import { ecdsaWithSha256, Issuer, wrapSigned } from './issuer.ts';

/** A key pair with its certificate; `key` is PKCS #8 in DER and goes nowhere unencrypted. */
export interface AuthorityPart {
  readonly certificate: Buffer;
  readonly key: Buffer;
}

const DAY = 86_400_000;

/** Validity of a new root and intermediate. A root outlives three intermediates; leaves end with their issuer at the latest. */
export const ROOT_DAYS = 3650;
export const INTERMEDIATE_DAYS = 1825;

/**
 * Makes a root (path length 1) and an intermediate below it (path length 0), each with a P-256 key of its own. Usages and
 * identifiers as RFC 5280 sections 4.2.1.1 to 4.2.1.3 and 4.2.1.9 want them. Backdated an hour: clients' clocks differ.
 */
export function createAuthority(name: string, now: Date): { root: AuthorityPart; intermediate: AuthorityPart } {
  const second = Math.floor(now.getTime() / 1000) * 1000;
  const notBefore = new Date(second - 3_600_000);
  const root = createPart({
    subject: authorityName(name, 'Root'),
    pathLength: 1,
    notBefore,
    notAfter: new Date(second + ROOT_DAYS * DAY),
  });
  const intermediate = createPart({
    subject: authorityName(name, 'Intermediate'),
    pathLength: 0,
    notBefore,
    notAfter: new Date(second + INTERMEDIATE_DAYS * DAY),
    issuer: new Issuer(root.certificate, root.key),
  });
  return { root, intermediate };
}

const authorityName = (name: string, rank: string): DistinguishedName => [
  [{ type: 'O', value: name }],
  [{ type: 'CN', value: `${name} ${rank}` }],
];

function createPart(fields: {
  subject: DistinguishedName;
  pathLength: number;
  notBefore: Date;
  notAfter: Date;
  issuer?: Issuer;
}): AuthorityPart {
  const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const key = pair.privateKey.export({ format: 'der', type: 'pkcs8' });
  const { spki, identifier } = readPublicKey(new DerReader(pair.publicKey.export({ format: 'der', type: 'spki' })));
  const subject = encodeName(fields.subject);
  const issuer = fields.issuer ?? selfSigned(subject, identifier, pair.privateKey);
  const toBeSigned = write.sequence(
    write.tagged(0, write.integer(2)),
    write.unsignedInteger(randomSerial()),
    ecdsaWithSha256,
    issuer.name,
    write.sequence(write.time(fields.notBefore), write.time(fields.notAfter)),
    subject,
    spki,
    write.tagged(
      3,
      write.sequence(
        basicConstraints({ pathLength: fields.pathLength }),
        keyUsage('keyCertSign', 'cRLSign'),
        subjectKeyIdentifier(identifier),
        authorityKeyIdentifier(issuer.keyIdentifier),
      ),
    ),
  );
  return { certificate: issuer.wrap(toBeSigned), key };
}

/** A root stands where its issuer would: its own name, its own key identifier, its own key. */
const selfSigned = (
  name: Buffer,
  keyIdentifier: Buffer,
  key: KeyObject,
): Pick<Issuer, 'name' | 'keyIdentifier' | 'wrap'> => ({
  name,
  keyIdentifier,
  wrap: (toBeSigned) => wrapSigned(toBeSigned, key),
});
