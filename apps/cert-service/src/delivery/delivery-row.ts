import type { Delivery } from '@keelson/contracts';

/** A delivery as stored. */
export interface DeliveryRow {
  readonly id: string;
  readonly team: string;
  readonly created_by: string;
  readonly dns_names: readonly string[];
  readonly ip_addresses: readonly string[];
  readonly namespace: string;
  readonly secret_name: string;
  readonly lifetime_seconds: number;
  readonly renew_before_seconds: number;
  readonly state: Delivery['state'];
  readonly reason: string | null;
  readonly certificate_id: string | null;
  readonly undelivered_id: string | null;
  readonly not_after: Date | null;
  readonly next_renewal_at: Date | null;
  readonly failures: number;
}

/** The delivery as the contract shows it. */
export const toDelivery = (row: DeliveryRow): Delivery => ({
  id: row.id,
  team: row.team,
  dnsNames: [...row.dns_names],
  ipAddresses: [...row.ip_addresses],
  secret: { namespace: row.namespace, name: row.secret_name },
  lifetimeSeconds: row.lifetime_seconds,
  renewBeforeSeconds: row.renew_before_seconds,
  state: row.state,
  ...(row.reason !== null && { reason: row.reason }),
  ...(row.certificate_id !== null && { certificateId: row.certificate_id }),
  ...(row.not_after !== null && { notAfter: row.not_after.toISOString() }),
  ...(row.next_renewal_at !== null && { nextRenewalAt: row.next_renewal_at.toISOString() }),
});
