import { isConnectionLoss, type Database, type Tx } from '@keelson/persistence';
import { CallerError, gauge, logger, type Clock } from '@keelson/service-kit';
import type { RevocationReason } from '@keelson/contracts';
import type { Authority } from '../authority/authority-store.ts';
import type { ClockGuard } from '../clock/clock-guard.ts';
import { signCrl } from './crl.ts';

const log = logger('crl');

const number = gauge({ name: 'keelson_crl_number', help: 'Number of the revocation list served last' });
const nextUpdate = gauge({
  name: 'keelson_crl_next_update_timestamp_seconds',
  help: 'When the revocation list served last ends to be valid',
});

/** A signed list. */
export interface SignedList {
  readonly der: Buffer;
  readonly number: number;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
}

interface State {
  readonly revision: string;
  readonly signed_revision: string | null;
  readonly number: string;
  readonly this_update: Date | null;
  readonly next_update: Date | null;
}

/** Whether a new list has to be signed, and why. Pure. */
export function mustSign(state: State, now: Date, lifetimeSeconds: number): string | undefined {
  const { this_update: from, next_update: until } = state;
  if (from === null || until === null) return 'there is none yet';
  if (state.revision !== state.signed_revision) return 'a certificate was revoked since';
  // At half time, so that clients that fetch it late still have one that is valid.
  if (until.getTime() - now.getTime() < (lifetimeSeconds * 1000) / 2) return 'it is half over';
  if (from.getTime() > now.getTime() + 60_000) return 'it is from the future: the clock went back';
  return undefined;
}

const readState =
  'select revision, signed_revision, number, this_update, next_update from revocation_lists where authority_id = $1';
const readList = 'select number, this_update, next_update, list from revocation_lists where authority_id = $1';
/** An entry stays on one list beyond the certificate's expiry (RFC 5280 section 3.3). */
const readRevoked = `
  select serial, revoked_at as "revokedAt", revocation_reason as reason from certificates
  where authority_id = $1 and revoked_at is not null and not_after > coalesce($2::timestamptz, '-infinity')
  order by revoked_at, id`;
const storeList = `
  update revocation_lists set signed_revision = $2, number = $3, this_update = $4, next_update = $5, list = $6
  where authority_id = $1`;

/** The current revocation list of the authority: stored, so that replicas serve the same, and signed anew in time. */
export class RevocationList {
  readonly #parts: {
    readonly database: Database;
    readonly authority: Authority;
    readonly clock: Clock;
    readonly guard: ClockGuard;
    readonly lifetimeSeconds: number;
  };
  #cached: SignedList | undefined;

  constructor(parts: {
    database: Database;
    authority: Authority;
    clock: Clock;
    guard: ClockGuard;
    lifetimeSeconds: number;
  }) {
    this.#parts = parts;
  }

  /**
   * The list, with every revocation committed so far. While the database is away, the last one, as long as it is valid;
   * then CallerError `unavailable`.
   */
  async current(): Promise<SignedList> {
    try {
      this.#cached = await this.#fresh();
      number.set(this.#cached.number);
      nextUpdate.set(this.#cached.nextUpdate.getTime() / 1000);
      return this.#cached;
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
      if (this.#cached !== undefined && this.#cached.nextUpdate > this.#parts.clock.now()) {
        log.warn({ number: this.#cached.number }, 'the database is away; the last revocation list is served');
        return this.#cached;
      }
      throw new CallerError('unavailable', { detail: 'The database is away.', retryAfterSeconds: 2, cause: error });
    }
  }

  async #fresh(): Promise<SignedList> {
    const { database, authority, clock, guard, lifetimeSeconds } = this.#parts;
    const [state] = await database.query<State>(readState, [authority.id]);
    if (state === undefined) throw new Error(`authority ${authority.id} has no revocation list row`);
    const due = mustSign(state, clock.now(), lifetimeSeconds);
    // With a clock that nobody trusts an old list is better than one dated wrongly.
    if (due === undefined || (!guard.trusted && state.this_update !== null)) return this.#stored(state);
    guard.check();
    return database.transaction((tx) => this.#sign(tx));
  }

  async #stored(state: State): Promise<SignedList> {
    if (this.#cached?.number === Number(state.number)) return this.#cached;
    const { database, authority } = this.#parts;
    const [row] = await database.query<State & { list: Buffer }>(readList, [authority.id]);
    return {
      der: row!.list,
      number: Number(row!.number),
      thisUpdate: row!.this_update!,
      nextUpdate: row!.next_update!,
    };
  }

  async #sign(tx: Tx): Promise<SignedList> {
    const { authority, clock, lifetimeSeconds } = this.#parts;
    const [state] = await tx.query<State>(`${readState} for update`, [authority.id]);
    const now = clock.now();
    const due = mustSign(state!, now, lifetimeSeconds);
    if (due === undefined) return this.#stored(state!); // another replica was faster
    const revoked = await tx.query<{ serial: string; revokedAt: Date; reason: RevocationReason }>(readRevoked, [
      authority.id,
      state!.this_update,
    ]);
    const second = Math.floor(now.getTime() / 1000) * 1000;
    const until = Math.min(second + lifetimeSeconds * 1000, authority.issuer.notAfter.getTime());
    const list = { number: Number(state!.number) + 1, thisUpdate: new Date(second), nextUpdate: new Date(until) };
    const der = signCrl(authority.issuer, { ...list, revoked });
    await tx.query(storeList, [authority.id, state!.revision, list.number, list.thisUpdate, list.nextUpdate, der]);
    log.info({ number: list.number, entries: revoked.length, because: due }, 'revocation list signed');
    return { der, ...list };
  }
}
