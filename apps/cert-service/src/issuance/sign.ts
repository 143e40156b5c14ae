import type { KeyType } from '@keelson/contracts';
import type { Issuer } from '../authority/issuer.ts';
import { toPem } from '../der/index.ts';
import type { PublicKeyInfo } from '../keys/index.ts';
import { nameText } from '../names/index.ts';
import { lint, LintError } from './lint.ts';
import type { SubjectNames } from './names.ts';
import { LeafProfile } from './profile.ts';
import { profileNames, type ProfileName } from './profile-name.ts';
import { randomSerial } from './serial.ts';
import { validityOf } from './validity.ts';

/** A signed certificate with what the inventory wants to know of it. */
export interface SignedCertificate {
  readonly certificate: Buffer;
  /** Leaf, then intermediate; PEM. */
  readonly chain: string;
  /** Hexadecimal. */
  readonly serial: string;
  readonly profile: ProfileName;
  readonly subject: string;
  readonly names: SubjectNames;
  readonly keyType: KeyType;
  readonly publicKeyHash: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Signs end-entity certificates under one issuer. Pure but for the random serial: the time is an argument. */
export class LeafSigner {
  readonly issuer: Issuer;
  readonly #profiles: Readonly<Record<ProfileName, LeafProfile>>;

  /** `crlUrl` goes into every certificate as its distribution point. */
  constructor(issuer: Issuer, crlUrl: string | undefined) {
    this.issuer = issuer;
    this.#profiles = Object.fromEntries(
      profileNames.map((name) => [name, new LeafProfile(name, issuer, crlUrl)]),
    ) as Record<ProfileName, LeafProfile>;
  }

  /** Throws IssuerNotValidError where the clock is outside of the issuer's validity, LintError where RFC 5280 is broken. */
  sign(
    request: {
      readonly profile: ProfileName;
      readonly names: SubjectNames;
      readonly publicKey: PublicKeyInfo;
      readonly lifetimeSeconds: number;
    },
    now: Date,
  ): SignedCertificate {
    const { profile, names, publicKey } = request;
    const serial = randomSerial();
    const validity = validityOf(now, request.lifetimeSeconds, this.issuer);
    const toBeSigned = this.#profiles[profile].toBeSigned({ serial, ...validity, names, publicKey });
    const findings = lint(toBeSigned, this.issuer);
    if (findings.length > 0) throw new LintError(findings);
    const certificate = this.issuer.wrap(toBeSigned);
    return {
      certificate,
      chain: toPem('CERTIFICATE', certificate) + this.issuer.pem,
      serial: serial.toString('hex'),
      profile,
      subject: nameText(names.subject),
      names,
      keyType: publicKey.keyType,
      publicKeyHash: publicKey.hash,
      ...validity,
    };
  }
}
