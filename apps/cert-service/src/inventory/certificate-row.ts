import type { Certificate, KeyType, RevocationReason } from '@keelson/contracts';
import { toPem } from '../der/index.ts';

/** A certificate as stored. */
export interface CertificateRow {
  readonly id: string;
  readonly team: string;
  readonly serial: string;
  readonly profile: string;
  readonly subject: string;
  readonly dns_names: readonly string[];
  readonly ip_addresses: readonly string[];
  readonly uris: readonly string[];
  readonly key_type: KeyType;
  readonly public_key_hash: string;
  readonly issuer: string;
  readonly not_before: Date;
  readonly not_after: Date;
  readonly certificate: Buffer;
  /** PEM follows from it; joined from the authority that signed. */
  readonly intermediate: Buffer;
  readonly created_at: Date;
  readonly revoked_at: Date | null;
  readonly revocation_reason: RevocationReason | null;
}

/** The certificate as the contract shows it at this moment. Revoked stays revoked after the expiry. */
export function toCertificate(row: CertificateRow, now: Date): Certificate {
  return {
    id: row.id,
    team: row.team,
    serial: row.serial,
    state: row.revoked_at !== null ? 'revoked' : row.not_after <= now ? 'expired' : 'valid',
    profile: row.profile,
    subject: row.subject,
    dnsNames: [...row.dns_names],
    ipAddresses: [...row.ip_addresses],
    uris: [...row.uris],
    keyType: row.key_type,
    publicKeyHash: row.public_key_hash,
    issuer: row.issuer,
    notBefore: row.not_before.toISOString(),
    notAfter: row.not_after.toISOString(),
    ...(row.revoked_at !== null && {
      revokedAt: row.revoked_at.toISOString(),
      revocationReason: row.revocation_reason ?? 'unspecified',
    }),
    chain: toPem('CERTIFICATE', row.certificate) + toPem('CERTIFICATE', row.intermediate),
    createdAt: row.created_at.toISOString(),
  };
}

/** What each message about a certificate says of it. */
export const messageSubject = (certificate: {
  readonly id: string;
  readonly team: string;
  readonly serial: string;
  readonly subject: string;
  readonly dnsNames: readonly string[];
  readonly notAfter: Date | string;
}) => ({
  certificateId: certificate.id,
  team: certificate.team,
  serial: certificate.serial,
  subject: certificate.subject,
  dnsNames: [...certificate.dnsNames],
  notAfter: new Date(certificate.notAfter).toISOString(),
});
