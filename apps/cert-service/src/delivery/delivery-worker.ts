import { generateKeyPair, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { certificateRenewed, type Certificate } from '@keelson/contracts';
import { outbox } from '@keelson/messaging';
import type { Database } from '@keelson/persistence';
import { CallerError, logger, type Clock } from '@keelson/service-kit';
import { appendAudit } from '../audit/audit-log.ts';
import { DerReader } from '../der/index.ts';
import { readPublicKey } from '../keys/index.ts';
import { findCertificate, lockCertificate } from '../inventory/certificate-store.ts';
import { messageSubject } from '../inventory/certificate-row.ts';
import type { Issuance } from '../issuance/issuance.ts';
import { revokeRow } from '../revocation/revocation.ts';
import type { Ledger } from '../storage/ledger.ts';
import { decideDelivery, renewalTime, retryDelayMs } from './decide.ts';
import { finishDelivery, leaseDeliveries, type DeliveryOutcome, type LeasedDelivery } from './delivery-store.ts';
import { certificateIn, failureText, fingerprint, foreignDataText, type TlsSecrets } from './tls-secret.ts';

const log = logger('delivery');
const newKeyPair = promisify(generateKeyPair);

/** Deliveries taken at once. */
const BATCH = 8;

interface WorkerParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly issuance: Issuance;
  readonly ledger: Ledger;
  readonly secrets: TlsSecrets;
  /** How often a delivered Secret is looked at, in seconds. */
  readonly checkSeconds: number;
  readonly random?: () => number;
}

/** A key that waits for its Secret: only in memory, only until it is written or given up. */
interface Undelivered {
  readonly certificate: Certificate;
  readonly key: string;
}

/** What a round found out, besides the time of the next look. */
type Round = Omit<DeliveryOutcome, 'checkAt' | 'failures'> & { readonly renewedFrom?: string | null };

/**
 * Carries deliveries out: looks at the Secret, decides, issues, writes, notes down. It may be ended at any point: what it
 * had begun is found in the database and the cluster, and goes on from there. Only the key is lost then, and with it the
 * certificate that was not delivered yet, which is revoked as superseded when the next one is issued.
 */
export class DeliveryWorker {
  readonly #id = randomUUID();
  readonly #parts: WorkerParts;
  readonly #random: () => number;
  readonly #undelivered = new Map<string, Undelivered>();

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#random = parts.random ?? Math.random;
  }

  /** Works on all that is due. */
  async run(signal: AbortSignal): Promise<void> {
    const { database, clock } = this.#parts;
    for (let taken = BATCH; taken === BATCH && !signal.aborted;) {
      const leased = await leaseDeliveries(database, { id: this.#id, now: clock.now(), limit: BATCH });
      await Promise.all(leased.map((delivery) => this.#work(delivery)));
      taken = leased.length;
    }
  }

  async #work(delivery: LeasedDelivery): Promise<void> {
    let round: Round;
    try {
      round = await this.#round(delivery);
    } catch (error) {
      round = { state: 'failed', reason: this.#reasonOf(delivery, error) };
    }
    await this.#finish(delivery, round);
  }

  #reasonOf(delivery: LeasedDelivery, error: unknown): string {
    if (error instanceof CallerError) return error.message;
    try {
      return failureText(error);
    } catch {
      log.error({ delivery: delivery.id, err: error }, 'a delivery failed for a reason of our own');
      return 'The service failed at it; its log has the cause.';
    }
  }

  async #round(delivery: LeasedDelivery): Promise<Round> {
    const { secrets, clock } = this.#parts;
    const place = { namespace: delivery.namespace, name: delivery.secret_name };
    const secret = await secrets.read(place);
    const step = decideDelivery(
      {
        state: delivery.state,
        delivered: delivery.certificate === null ? undefined : fingerprint(delivery.certificate),
        undelivered: delivery.undelivered === null ? undefined : fingerprint(delivery.undelivered),
        nextRenewalAt: delivery.next_renewal_at ?? undefined,
        secret: secret === undefined ? { kind: 'absent' } : { kind: 'present', holds: certificateIn(secret) },
      },
      clock.now(),
    );
    switch (step.kind) {
      case 'wait':
        return { state: 'delivered', reason: null };
      case 'conflict':
        return { state: 'conflict', reason: foreignDataText(secret!, place) };
      case 'note-arrival':
        return this.#arrived(delivery, delivery.undelivered_id!);
      case 'issue': {
        const rehearsal = await secrets.rehearse(place, delivery.id);
        if (rehearsal.kind !== 'written') return { state: rehearsal.kind, reason: rehearsal.reason };
        const { certificate, key } = await this.#material(delivery, step.why);
        const result = await secrets.write(place, delivery.id, certificate.chain, key);
        if (result.kind !== 'written') return { state: result.kind, reason: result.reason };
        return this.#arrived(delivery, certificate.id);
      }
      default:
        return step satisfies never;
    }
  }

  /** The key and certificate to write: those of the last round where they did not arrive, else new ones. */
  async #material(delivery: LeasedDelivery, why: string): Promise<Undelivered> {
    const waiting = this.#undelivered.get(delivery.id);
    if (waiting !== undefined && waiting.certificate.id === delivery.undelivered_id) return waiting;
    const { issuance, ledger } = this.#parts;
    await this.#giveUp(delivery);
    const pair = await newKeyPair('ec', { namedCurve: 'prime256v1' });
    const { names } = issuance.allow(
      delivery.team,
      { dnsNames: delivery.dns_names, ipAddresses: delivery.ip_addresses },
      delivery.lifetime_seconds,
    );
    const { certificate, act } = issuance.sign({
      team: delivery.team,
      actor: delivery.created_by,
      profile: 'server',
      names,
      publicKey: readPublicKey(new DerReader(pair.publicKey.export({ format: 'der', type: 'spki' }))),
      lifetimeSeconds: delivery.lifetime_seconds,
      why: { asked: `delivery ${delivery.id}`, because: why },
    });
    await ledger.commit({
      ...act,
      also: async (tx) => {
        const sql = 'update deliveries set undelivered_id = $2 where id = $1 and leased_by = $3';
        const changed = await tx.execute(sql, [delivery.id, certificate.id, this.#id]);
        if (changed !== 1) throw new Error(`delivery ${delivery.id} was taken over or ended meanwhile`);
      },
    });
    const made = { certificate, key: pair.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string };
    this.#undelivered.set(delivery.id, made);
    return made;
  }

  /** Revokes what was issued for the delivery and never arrived: its key is lost. */
  async #giveUp(delivery: LeasedDelivery): Promise<void> {
    const id = delivery.undelivered_id;
    if (id === null) return;
    const { database, clock } = this.#parts;
    await database.transaction(async (tx) => {
      const row = await lockCertificate(tx, undefined, id);
      await tx.execute('update deliveries set undelivered_id = null where id = $1 and undelivered_id = $2', [
        delivery.id,
        id,
      ]);
      if (row !== undefined) {
        await revokeRow(tx, row, { reason: 'superseded', actor: delivery.created_by, now: clock.now() });
      }
    });
  }

  async #arrived(delivery: LeasedDelivery, certificateId: string): Promise<Round> {
    const row = await findCertificate(this.#parts.database, undefined, certificateId);
    if (row === undefined) throw new Error(`certificate ${certificateId} is not in the inventory`);
    const nextRenewalAt = renewalTime(
      { issuedAt: row.created_at, notAfter: row.not_after },
      delivery.renew_before_seconds,
      this.#random(),
    );
    const arrived = { certificateId, notAfter: row.not_after, nextRenewalAt };
    return { state: 'delivered', reason: null, arrived, renewedFrom: delivery.certificate_id };
  }

  /** Writes the outcome down; with an arrival also the message, the audit entry and the mark on the one replaced. */
  async #finish(delivery: LeasedDelivery, round: Round): Promise<void> {
    const { database, clock, checkSeconds } = this.#parts;
    const now = clock.now();
    const failures = round.state === 'failed' ? delivery.failures + 1 : 0;
    const pauseMs = round.state === 'failed' ? retryDelayMs(failures, this.#random()) : checkSeconds * 1000;
    const renewal = (round.arrived?.nextRenewalAt ?? delivery.next_renewal_at)?.getTime() ?? Infinity;
    // A renewal that is due does not wait for the next look; one that stands in conflict does.
    const checkAt = new Date(
      round.state === 'delivered'
        ? Math.min(now.getTime() + pauseMs, Math.max(renewal, now.getTime()))
        : now.getTime() + pauseMs,
    );
    if (round.state !== delivery.state || round.arrived !== undefined) {
      const { state, reason } = round;
      const fields = {
        delivery: delivery.id,
        namespace: delivery.namespace,
        name: delivery.secret_name,
        state,
        reason,
      };
      if (state === 'delivered') log.info(fields, 'delivery');
      else log.warn(fields, 'delivery');
    }
    const outcome: DeliveryOutcome = { ...round, failures, checkAt };
    if (outcome.arrived === undefined) {
      await finishDelivery(database, delivery.id, this.#id, outcome);
      return;
    }
    await this.#recordArrival(delivery, { ...outcome, arrived: outcome.arrived }, round.renewedFrom ?? null, now);
    this.#undelivered.delete(delivery.id);
  }

  async #recordArrival(
    delivery: LeasedDelivery,
    outcome: DeliveryOutcome & { readonly arrived: NonNullable<DeliveryOutcome['arrived']> },
    renewedFrom: string | null,
    now: Date,
  ): Promise<void> {
    const secret = { namespace: delivery.namespace, name: delivery.secret_name };
    const { certificateId } = outcome.arrived;
    await this.#parts.database.transaction(async (tx) => {
      // Somebody else has it now, or it was ended: what is in the Secret is found there by whoever looks next.
      if (!(await finishDelivery(tx, delivery.id, this.#id, outcome))) return;
      const row = await findCertificate(tx, undefined, certificateId);
      if (renewedFrom !== null && renewedFrom !== certificateId && row !== undefined) {
        await tx.execute('update certificates set replaced_by = $2, next_notice_at = null where id = $1', [
          renewedFrom,
          certificateId,
        ]);
        const subject = messageSubject({ ...row, dnsNames: row.dns_names, notAfter: row.not_after });
        await outbox(
          tx,
          certificateRenewed,
          { ...subject, replacesCertificateId: renewedFrom, secret },
          { aggregate: `certificate/${certificateId}` },
        );
      }
      const act = renewedFrom === null ? 'delivery.delivered' : 'delivery.renewed';
      const detail = { secret, certificateId, ...(renewedFrom !== null && { replaces: renewedFrom }) };
      await appendAudit(tx, [
        { at: now, actor: delivery.created_by, team: delivery.team, act, subject: delivery.id, detail },
      ]);
    });
  }
}
