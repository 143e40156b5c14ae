import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The first schema of the service: authority, inventory, revocation list, deliveries, audit. */
export class CertificateSchema1791000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'drop table deliveries, audit_head, audit_log, revocation_lists, certificates, authorities, key_encryption, expiry_settings',
    );
  }
}

const statements = [
  // How the key that encrypts keys came about, and a sealed constant that tells a wrong one at once.
  `create table key_encryption (
     singleton boolean primary key default true check (singleton),
     derivation jsonb not null,
     probe bytea not null
   )`,

  // Keys are AES-256-GCM boxes (keys/seal.ts); the certificates are DER.
  `create table authorities (
     id uuid primary key,
     name text not null unique,
     root_certificate bytea not null,
     root_key bytea not null,
     intermediate_certificate bytea not null,
     intermediate_key bytea not null,
     created_at timestamptz not null
   )`,

  `create table certificates (
     id uuid primary key,
     team text not null,
     authority_id uuid not null references authorities,
     serial text not null,
     profile text not null,
     subject text not null,
     dns_names text[] not null,
     ip_addresses text[] not null,
     uris text[] not null,
     -- Subject and alternative names in lower case, a line each: what a search by name looks into.
     search text not null,
     key_type text not null,
     public_key_hash text not null,
     issuer text not null,
     not_before timestamptz not null,
     not_after timestamptz not null,
     certificate bytea not null,
     lint text[] not null,
     created_at timestamptz not null,
     revoked_at timestamptz,
     revocation_reason text,
     -- The certificate that took its place: what is replaced is not alerted about.
     replaced_by uuid,
     -- The smallest threshold announced so far, in seconds, and when the next one is passed; null where none is left.
     noticed_seconds integer,
     next_notice_at timestamptz,
     unique (authority_id, serial)
   )`,
  `create index certificates_by_team on certificates (team, id desc)`,
  `create index certificates_by_serial on certificates (serial)`,
  `create index certificates_by_expiry on certificates (not_after)`,
  `create index certificates_by_notice on certificates (next_notice_at) where next_notice_at is not null`,
  `create index certificates_revoked on certificates (authority_id, not_after) where revoked_at is not null`,
  // Trigrams make a search for a part of a name fast. The extension is trusted, so the owner of the database may install
  // it; where it is not there at all, the search still works, only slower.
  `do $$ begin
     create extension if not exists pg_trgm;
     create index certificates_by_name on certificates using gin (search gin_trgm_ops);
   exception when insufficient_privilege or undefined_file or feature_not_supported then
     raise notice 'pg_trgm is not available: searching by name reads every row';
   end $$`,

  // The newest list of each authority. "revision" is raised by each revocation; "signed_revision" is what the list has.
  `create table revocation_lists (
     authority_id uuid primary key references authorities,
     revision bigint not null default 0,
     signed_revision bigint,
     number bigint not null default 0,
     this_update timestamptz,
     next_update timestamptz,
     list bytea
   )`,

  `create table deliveries (
     id uuid primary key,
     team text not null,
     created_by text not null,
     dns_names text[] not null,
     ip_addresses text[] not null,
     namespace text not null,
     secret_name text not null,
     lifetime_seconds integer not null,
     renew_before_seconds integer not null,
     state text not null,
     reason text,
     certificate_id uuid references certificates,
     -- Issued, but not known to be in the Secret yet; its key is gone once the process is.
     undelivered_id uuid references certificates,
     not_after timestamptz,
     next_renewal_at timestamptz,
     -- When to look at it again, and who does so until when (by the database's clock).
     check_at timestamptz not null,
     failures integer not null default 0,
     leased_by text,
     leased_until timestamptz,
     created_at timestamptz not null,
     unique (namespace, secret_name)
   )`,
  `create index deliveries_by_check on deliveries (check_at)`,
  `create index deliveries_by_team on deliveries (team, id desc)`,

  `create table audit_log (
     sequence bigint primary key,
     at timestamptz not null,
     actor text not null,
     team text not null,
     act text not null,
     subject text not null,
     detail jsonb not null,
     hash bytea not null
   )`,
  `create index audit_log_by_team on audit_log (team, sequence)`,
  // One row: locked by whoever appends, last thing before the commit.
  `create table audit_head (
     singleton boolean primary key default true check (singleton),
     sequence bigint not null,
     hash bytea not null
   )`,
  `insert into audit_head (sequence, hash) values (0, decode(repeat('00', 32), 'hex'))`,

  `create table expiry_settings (
     singleton boolean primary key default true check (singleton),
     thresholds integer[] not null
   )`,
];
