import type { KeyType } from '@keelson/contracts';
import type { Database, Tx } from '@keelson/persistence';
import type { CertificateRow } from './certificate-row.ts';

/** Whose rows a caller may see: one team's, or (`undefined`, for principals of team `*`) all. */
export type TeamScope = string | undefined;

/** A certificate about to be stored. */
export interface NewCertificate {
  readonly id: string;
  readonly team: string;
  readonly authorityId: string;
  readonly serial: string;
  readonly profile: string;
  readonly subject: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
  readonly keyType: KeyType;
  readonly publicKeyHash: string;
  readonly issuer: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly certificate: Buffer;
  readonly lint: readonly string[];
  readonly createdAt: Date;
  readonly nextNoticeAt: Date | undefined;
}

const insertCertificates = `
  insert into certificates (id, team, authority_id, serial, profile, subject, dns_names, ip_addresses, uris, search,
    key_type, public_key_hash, issuer, not_before, not_after, certificate, lint, created_at, next_notice_at)
  select * from jsonb_to_recordset($1::jsonb) as new(id uuid, team text, authority_id uuid, serial text, profile text,
    subject text, dns_names text[], ip_addresses text[], uris text[], search text, key_type text, public_key_hash text,
    issuer text, not_before timestamptz, not_after timestamptz, certificate bytea, lint text[], created_at timestamptz,
    next_notice_at timestamptz)`;

/** Stores certificates, all in one statement. */
export async function storeCertificates(tx: Tx, certificates: readonly NewCertificate[]): Promise<void> {
  if (certificates.length === 0) return;
  const rows = certificates.map((one) => ({
    id: one.id,
    team: one.team,
    authority_id: one.authorityId,
    serial: one.serial,
    profile: one.profile,
    subject: one.subject,
    dns_names: one.dnsNames,
    ip_addresses: one.ipAddresses,
    uris: one.uris,
    search: [one.subject, ...one.dnsNames, ...one.ipAddresses, ...one.uris].join('\n').toLowerCase(),
    key_type: one.keyType,
    public_key_hash: one.publicKeyHash,
    issuer: one.issuer,
    not_before: one.notBefore,
    not_after: one.notAfter,
    certificate: `\\x${one.certificate.toString('hex')}`,
    lint: one.lint,
    created_at: one.createdAt,
    next_notice_at: one.nextNoticeAt,
  }));
  await tx.query(insertCertificates, [JSON.stringify(rows)]);
}

const columns = `c.id, c.team, c.serial, c.profile, c.subject, c.dns_names, c.ip_addresses, c.uris, c.key_type,
  c.public_key_hash, c.issuer, c.not_before, c.not_after, c.certificate, c.created_at, c.revoked_at, c.revocation_reason,
  a.intermediate_certificate as intermediate`;
const from = 'from certificates c join authorities a on a.id = c.authority_id';

const findOne = `select ${columns} ${from} where c.id = $1 and ($2::text is null or c.team = $2)`;

/** A certificate that the scope may see. */
export async function findCertificate(
  on: Database | Tx,
  scope: TeamScope,
  id: string,
): Promise<CertificateRow | undefined> {
  return (await on.query<CertificateRow>(findOne, [id, scope ?? null]))[0];
}

/** The same, locked until the transaction ends. */
export async function lockCertificate(tx: Tx, scope: TeamScope, id: string): Promise<CertificateRow | undefined> {
  return (await tx.query<CertificateRow>(`${findOne} for update of c`, [id, scope ?? null]))[0];
}

/** What a search may ask; all given conditions hold together. */
export interface CertificateFilter {
  /** Part of the subject or of a name, any case. */
  readonly name?: string | undefined;
  readonly state?: 'valid' | 'revoked' | 'expired' | undefined;
  readonly expiresBefore?: string | undefined;
  /** Hexadecimal, any case, with or without colons and leading zeros. */
  readonly serial?: string | undefined;
}

const listPage = `
  select ${columns} ${from}
  where ($1::text is null or c.team = $1)
    and ($2::uuid is null or c.id < $2)
    and ($3::text is null or c.search like $3)
    and ($4::text is null or case $4
          when 'revoked' then c.revoked_at is not null
          when 'expired' then c.revoked_at is null and c.not_after <= $7
          else c.revoked_at is null and c.not_after > $7 end)
    and ($5::timestamptz is null or c.not_after < $5)
    and ($6::text is null or c.serial = $6)
  order by c.id desc limit $8`;

/** Certificates of the scope, newest first, from below `before`. */
export async function listCertificates(
  database: Database,
  scope: TeamScope,
  filter: CertificateFilter,
  page: { readonly before: string | undefined; readonly limit: number; readonly now: Date },
): Promise<CertificateRow[]> {
  return database.query<CertificateRow>(listPage, [
    scope ?? null,
    page.before ?? null,
    filter.name === undefined ? null : `%${filter.name.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`,
    filter.state ?? null,
    filter.expiresBefore ?? null,
    filter.serial === undefined ? null : normaliseSerial(filter.serial),
    page.now,
    page.limit,
  ]);
}

/** As openssl prints it (`4A:0B`), as browsers do (`4a0b`), as numbers are written (`0x4a0b`): one form. */
export function normaliseSerial(text: string): string {
  const hex = text.replace(/^0x/i, '').replace(/[:\s]/g, '').toLowerCase().replace(/^0+/, '');
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}
