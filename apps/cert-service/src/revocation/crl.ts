import type { RevocationReason } from '@keelson/contracts';
import { authorityKeyIdentifier, extension } from '../authority/extensions.ts';
import { ecdsaWithSha256, type Issuer } from '../authority/issuer.ts';
import { OID, write } from '../der/index.ts';

/** CRLReason (RFC 5280 section 5.3.1). 7 is unused, 8 (removeFromCRL) is for delta lists only. */
export const REASON_CODES: Readonly<Record<RevocationReason, number>> = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  privilegeWithdrawn: 9,
  aACompromise: 10,
};

/** An entry of the list. */
export interface RevokedEntry {
  /** Hexadecimal. */
  readonly serial: string;
  readonly revokedAt: Date;
  readonly reason: RevocationReason;
}

/** The reason extension of each code, written beforehand; none for `unspecified` (section 5.3.1: it should be absent). */
const reasonExtensions = new Map(
  Object.entries(REASON_CODES)
    .filter(([, code]) => code !== 0)
    .map(([reason, code]) => [reason, write.sequence(extension(OID.reasonCode, false, write.enumerated(code)))]),
);

/**
 * A complete revocation list (v2, RFC 5280 section 5): number, authority key identifier, an entry for each revoked
 * certificate. Signed by the issuer. `thisUpdate` and `nextUpdate` in whole seconds.
 */
export function signCrl(
  issuer: Issuer,
  list: {
    readonly number: number;
    readonly thisUpdate: Date;
    readonly nextUpdate: Date;
    readonly revoked: readonly RevokedEntry[];
  },
): Buffer {
  const entries = list.revoked.map(({ serial, revokedAt, reason }) => {
    const extensions = reasonExtensions.get(reason);
    return write.sequence(
      write.unsignedInteger(Buffer.from(serial, 'hex')),
      write.time(revokedAt),
      ...(extensions === undefined ? [] : [extensions]),
    );
  });
  return issuer.wrap(
    write.sequence(
      write.integer(1),
      ecdsaWithSha256,
      issuer.name,
      write.time(list.thisUpdate),
      write.time(list.nextUpdate),
      // revokedCertificates must be absent, not empty, where there are none (section 5.1.2.6).
      ...(entries.length === 0 ? [] : [write.sequence(...entries)]),
      write.tagged(
        0,
        write.sequence(
          authorityKeyIdentifier(issuer.keyIdentifier),
          extension(OID.crlNumber, false, write.integer(list.number)),
        ),
      ),
    ),
  );
}
