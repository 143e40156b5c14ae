import { certificateRevoked, type Certificate, type RevocationReason } from '@keelson/contracts';
import { outbox } from '@keelson/messaging';
import type { Database, Tx } from '@keelson/persistence';
import { CallerError, counter, type Clock, type Principal } from '@keelson/service-kit';
import { appendAudit } from '../audit/audit-log.ts';
import { messageSubject, toCertificate, type CertificateRow } from '../inventory/certificate-row.ts';
import { lockCertificate, type TeamScope } from '../inventory/certificate-store.ts';

const revoked = counter({
  name: 'keelson_certificates_revoked_total',
  help: 'Revocations, by reason',
  labelNames: ['reason'],
});

/** What a request to revoke does to a certificate in its present state. Pure. */
export type RevocationStep = 'revoke' | 'harden' | 'nothing';

/**
 * A revocation is final, with one exception: a hold (RFC 5280 section 5.3.1) may be made a revocation for good, at the
 * date of the hold. All else that is asked of a revoked certificate changes nothing, so that asking again is harmless.
 */
export function decideRevocation(present: RevocationReason | null, asked: RevocationReason): RevocationStep {
  if (present === null) return 'revoke';
  return present === 'certificateHold' && asked !== 'certificateHold' ? 'harden' : 'nothing';
}

const markRevoked = `
  update certificates set revoked_at = $2, revocation_reason = $3, next_notice_at = null where id = $1
  returning authority_id`;
const raiseRevision = 'update revocation_lists set revision = revision + 1 where authority_id = $1';
/** What was delivered and is revoked now is replaced at once. */
const renewDelivery = `
  update deliveries set next_renewal_at = $2, check_at = $2 where certificate_id = $1 or undelivered_id = $1`;

/** Revokes certificates. */
export class Revocation {
  readonly #parts: { readonly database: Database; readonly clock: Clock };

  constructor(parts: { database: Database; clock: Clock }) {
    this.#parts = parts;
  }

  /** Revokes, or finds it revoked already. Throws CallerError `not-found`. */
  async revoke(
    scope: TeamScope,
    id: string,
    reason: RevocationReason,
    principal: Principal,
    also?: (tx: Tx, certificate: Certificate) => Promise<void>,
  ): Promise<Certificate> {
    const { database, clock } = this.#parts;
    return database.transaction(async (tx) => {
      const row = await lockCertificate(tx, scope, id);
      if (row === undefined) throw new CallerError('not-found', { detail: `There is no certificate ${id}.` });
      const now = clock.now();
      const after = { ...row, revoked_at: row.revoked_at ?? now, revocation_reason: reasonAfter(row, reason) };
      const certificate = toCertificate(after, now);
      await also?.(tx, certificate);
      await revokeRow(tx, row, { reason, actor: principal.name, now });
      return certificate;
    });
  }
}

/** The reason that stands after this one was asked for. */
const reasonAfter = (row: CertificateRow, asked: RevocationReason): RevocationReason =>
  decideRevocation(row.revocation_reason, asked) === 'nothing' ? (row.revocation_reason ?? asked) : asked;

/**
 * Revokes a locked row within a transaction, with message and audit entry; does nothing where it is revoked already. Must be
 * the last that the transaction does: it appends to the audit chain.
 */
export async function revokeRow(
  tx: Tx,
  row: CertificateRow,
  { reason, actor, now }: { readonly reason: RevocationReason; readonly actor: string; readonly now: Date },
): Promise<void> {
  const step = decideRevocation(row.revocation_reason, reason);
  if (step === 'nothing') return;
  const revokedAt = row.revoked_at ?? now;
  const [marked] = await tx.query<{ authority_id: string }>(markRevoked, [row.id, revokedAt, reason]);
  await tx.query(raiseRevision, [marked?.authority_id]);
  await tx.query(renewDelivery, [row.id, now]);
  const subject = messageSubject({ ...row, dnsNames: row.dns_names, notAfter: row.not_after });
  await outbox(
    tx,
    certificateRevoked,
    { ...subject, reason, revokedAt: revokedAt.toISOString() },
    { aggregate: `certificate/${row.id}` },
  );
  const detail = { serial: row.serial, reason, ...(step === 'harden' && { before: row.revocation_reason }) };
  await appendAudit(tx, [{ at: now, actor, team: row.team, act: 'certificate.revoked', subject: row.id, detail }]);
  revoked.inc({ reason });
}
