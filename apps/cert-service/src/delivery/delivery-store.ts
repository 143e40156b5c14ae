import type { Delivery } from '@keelson/contracts';
import type { Database, Tx } from '@keelson/persistence';
import type { TeamScope } from '../inventory/certificate-store.ts';
import type { DeliveryRow } from './delivery-row.ts';

const columns = `d.id, d.team, d.created_by, d.dns_names, d.ip_addresses, d.namespace, d.secret_name, d.lifetime_seconds,
  d.renew_before_seconds, d.state, d.reason, d.certificate_id, d.undelivered_id, d.not_after, d.next_renewal_at, d.failures`;

/** A delivery about to be stored. */
export interface NewDelivery {
  readonly id: string;
  readonly team: string;
  readonly createdBy: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly namespace: string;
  readonly secretName: string;
  readonly lifetimeSeconds: number;
  readonly renewBeforeSeconds: number;
  readonly now: Date;
}

const insertDelivery = `
  insert into deliveries as d (id, team, created_by, dns_names, ip_addresses, namespace, secret_name, lifetime_seconds,
    renew_before_seconds, state, check_at, created_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending', $10, $10)
  on conflict (namespace, secret_name) do nothing
  returning ${columns}`;

/** Stores a delivery; undefined where another one fills that Secret already. */
export async function storeDelivery(tx: Tx, delivery: NewDelivery): Promise<DeliveryRow | undefined> {
  const rows = await tx.query<DeliveryRow>(insertDelivery, [
    delivery.id,
    delivery.team,
    delivery.createdBy,
    delivery.dnsNames,
    delivery.ipAddresses,
    delivery.namespace,
    delivery.secretName,
    delivery.lifetimeSeconds,
    delivery.renewBeforeSeconds,
    delivery.now,
  ]);
  return rows[0];
}

const inScope = 'd.id = $1 and ($2::text is null or d.team = $2)';

export async function findDelivery(database: Database, scope: TeamScope, id: string): Promise<DeliveryRow | undefined> {
  const sql = `select ${columns} from deliveries d where ${inScope}`;
  return (await database.query<DeliveryRow>(sql, [id, scope ?? null]))[0];
}

/** Takes a delivery out; undefined where there is none that the scope may see. */
export async function removeDelivery(tx: Tx, scope: TeamScope, id: string): Promise<DeliveryRow | undefined> {
  const sql = `delete from deliveries d where ${inScope} returning ${columns}`;
  return (await tx.query<DeliveryRow>(sql, [id, scope ?? null]))[0];
}

/** Deliveries of the scope, newest first, from below `before`. */
export async function listDeliveries(
  database: Database,
  scope: TeamScope,
  page: { readonly before: string | undefined; readonly limit: number },
): Promise<DeliveryRow[]> {
  const sql = `
    select ${columns} from deliveries d
    where ($1::text is null or d.team = $1) and ($2::uuid is null or d.id < $2) order by d.id desc limit $3`;
  return database.query<DeliveryRow>(sql, [scope ?? null, page.before ?? null, page.limit]);
}

/** A delivery that is ours to work on, with the certificates that it knows of (DER). */
export interface LeasedDelivery extends DeliveryRow {
  readonly certificate: Buffer | null;
  readonly undelivered: Buffer | null;
}

/** Longer than one round of work takes at most: four calls to the API server of 5 s each, and the database. */
const LEASE_SECONDS = 30;

const leaseDue = `
  update deliveries d set leased_by = $2, leased_until = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})
  from (
    select due.id, c.certificate, u.certificate as undelivered
    from deliveries due
    left join certificates c on c.id = due.certificate_id
    left join certificates u on u.id = due.undelivered_id
    where due.check_at <= $1 and (due.leased_until is null or due.leased_until < clock_timestamp())
    order by due.check_at limit $3
    for update of due skip locked
  ) picked
  where d.id = picked.id
  returning ${columns}, picked.certificate, picked.undelivered`;

/**
 * Takes deliveries that are due, for {@link LEASE_SECONDS}: of several replicas each gets others, and those of one that
 * died come free by themselves. Leases go by the database's clock, which all replicas share.
 */
export async function leaseDeliveries(
  database: Database,
  worker: { readonly id: string; readonly now: Date; readonly limit: number },
): Promise<LeasedDelivery[]> {
  return database.query<LeasedDelivery>(leaseDue, [worker.now, worker.id, worker.limit]);
}

/** What a round of work leaves behind. Fields left out stay as they are. */
export interface DeliveryOutcome {
  readonly state: Delivery['state'];
  readonly reason: string | null;
  readonly checkAt: Date;
  readonly failures: number;
  readonly arrived?: { readonly certificateId: string; readonly notAfter: Date; readonly nextRenewalAt: Date };
}

const finishRound = `
  update deliveries set state = $3, reason = $4, check_at = $5, failures = $6, leased_by = null, leased_until = null,
    certificate_id = coalesce($7, certificate_id),
    undelivered_id = case when $7::uuid is null then undelivered_id end,
    not_after = coalesce($8, not_after),
    next_renewal_at = coalesce($9, next_renewal_at)
  where id = $1 and leased_by = $2`;

/** Notes the outcome and gives the lease back. False where the lease went to somebody else meanwhile. */
export async function finishDelivery(
  on: Database | Tx,
  id: string,
  worker: string,
  outcome: DeliveryOutcome,
): Promise<boolean> {
  const { state, reason, checkAt, failures, arrived } = outcome;
  const changed = await on.execute(finishRound, [
    id,
    worker,
    state,
    reason,
    checkAt,
    failures,
    arrived?.certificateId ?? null,
    arrived?.notAfter ?? null,
    arrived?.nextRenewalAt ?? null,
  ]);
  return changed === 1;
}
