import { certificateExpiring } from '@keelson/contracts';
import { outboxAll, type OutboxEntry } from '@keelson/messaging';
import type { Database, Tx } from '@keelson/persistence';
import { counter, logger, type Clock } from '@keelson/service-kit';
import type { ClockGuard } from '../clock/clock-guard.ts';
import { messageSubject } from '../inventory/certificate-row.ts';
import { decideNotice, nextNoticeAt, type Notice } from './thresholds.ts';

const log = logger('expiry');

const notices = counter({
  name: 'keelson_certificate_expiry_notices_total',
  help: 'Messages that a certificate passed an alert threshold',
});

interface DueRow {
  readonly id: string;
  readonly team: string;
  readonly serial: string;
  readonly subject: string;
  readonly dns_names: readonly string[];
  readonly not_before: Date;
  readonly not_after: Date;
  readonly noticed_seconds: number | null;
  /** Until when a delivery that is on time will see to it; null where there is none. */
  readonly renewed_until: Date | null;
}

/** Row locks make replicas share the work: what one announces the others do not see any more. */
const readDue = `
  select c.id, c.team, c.serial, c.subject, c.dns_names, c.not_before, c.not_after, c.noticed_seconds,
    d.next_renewal_at + make_interval(secs => d.renew_before_seconds * 0.1) as renewed_until
  from certificates c
  left join deliveries d on d.certificate_id = c.id and d.state = 'delivered' and d.failures = 0
  where c.next_notice_at <= $1
  order by c.next_notice_at limit $2
  for update of c skip locked`;

const storeNotices = `
  update certificates c set noticed_seconds = n.noticed_seconds, next_notice_at = n.next_notice_at
  from jsonb_to_recordset($1::jsonb) as n(id uuid, noticed_seconds integer, next_notice_at timestamptz)
  where c.id = n.id`;

interface StoredNotice {
  readonly id: string;
  readonly noticed_seconds: number | null;
  readonly next_notice_at: Date | null;
}

const GROUP = 200;

/**
 * Announces certificates that pass an alert threshold: once for each threshold, however many replicas look, because the
 * message and the mark that it was sent are one transaction.
 */
export class ExpiryScan {
  readonly #parts: {
    readonly database: Database;
    readonly clock: Clock;
    readonly guard: ClockGuard;
    readonly thresholds: readonly number[];
  };

  constructor(parts: { database: Database; clock: Clock; guard: ClockGuard; thresholds: readonly number[] }) {
    this.#parts = parts;
  }

  /** Announces all that is due now. Resolves with how many messages were written. */
  async run(signal?: AbortSignal): Promise<number> {
    const { database, guard } = this.#parts;
    let sum = 0;
    if (!guard.trusted) return sum; // a wrong clock would announce everything, or nothing
    for (let more = true; more;) {
      const { looked, announced } = await database.transaction((tx) => this.#group(tx));
      sum += announced;
      more = looked === GROUP && signal?.aborted !== true;
    }
    if (sum > 0) {
      notices.inc(sum);
      log.info({ notices: sum }, 'certificates will expire');
    }
    return sum;
  }

  async #group(tx: Tx): Promise<{ looked: number; announced: number }> {
    const now = this.#parts.clock.now();
    const rows = await tx.query<DueRow>(readDue, [now, GROUP]);
    const messages: OutboxEntry[] = [];
    const stored: StoredNotice[] = [];
    for (const row of rows) {
      const notice = this.#decide(row, now);
      stored.push({
        id: row.id,
        noticed_seconds: notice.noticedSeconds ?? null,
        next_notice_at: notice.nextAt ?? null,
      });
      if (notice.announce === undefined) continue;
      messages.push({
        definition: certificateExpiring,
        aggregate: `certificate/${row.id}`,
        payload: {
          ...messageSubject({ ...row, dnsNames: row.dns_names, notAfter: row.not_after }),
          thresholdSeconds: notice.announce,
          secondsLeft: Math.floor((row.not_after.getTime() - now.getTime()) / 1000),
        },
      });
    }
    if (rows.length > 0) await tx.query(storeNotices, [JSON.stringify(stored)]);
    await outboxAll(tx, messages);
    return { looked: rows.length, announced: messages.length };
  }

  #decide(row: DueRow, now: Date): Notice {
    const noticedSeconds = row.noticed_seconds ?? undefined;
    // Nobody wants to hear of a certificate that the service itself is about to renew, unless it is late.
    if (row.renewed_until !== null && row.renewed_until > now) {
      return { announce: undefined, noticedSeconds, nextAt: row.renewed_until };
    }
    const certificate = { notBefore: row.not_before, notAfter: row.not_after, noticedSeconds };
    return decideNotice(certificate, this.#parts.thresholds, now);
  }

  /** Plans all notices anew where the configured thresholds are others than before. What was announced stays so. */
  async replan(): Promise<void> {
    const { database, clock, thresholds } = this.#parts;
    const [before] = await database.query<{ thresholds: number[] }>('select thresholds from expiry_settings');
    if (before !== undefined && before.thresholds.join() === thresholds.join()) return;
    for (let last = '00000000-0000-0000-0000-000000000000'; ;) {
      const rows = await database.query<Omit<DueRow, 'renewed_until'>>(
        `select id, not_before, not_after, noticed_seconds from certificates
         where id > $1 and revoked_at is null and replaced_by is null and not_after > $2 order by id limit 1000`,
        [last, clock.now()],
      );
      const stored = rows.map((row): StoredNotice => {
        const next = nextNoticeAt(
          { notBefore: row.not_before, notAfter: row.not_after },
          thresholds,
          row.noticed_seconds ?? undefined,
        );
        return { id: row.id, noticed_seconds: row.noticed_seconds, next_notice_at: next ?? null };
      });
      if (rows.length > 0) await database.query(storeNotices, [JSON.stringify(stored)]);
      if (rows.length < 1000) break;
      last = rows.at(-1)!.id;
    }
    await database.query(
      `insert into expiry_settings (thresholds) values ($1)
       on conflict (singleton) do update set thresholds = excluded.thresholds`,
      [thresholds],
    );
    if (before !== undefined) log.info({ thresholds, before: before.thresholds }, 'expiry notices planned anew');
  }
}
