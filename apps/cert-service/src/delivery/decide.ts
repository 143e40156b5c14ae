/** What the service knows of a delivery, and what it found in the cluster. */
export interface DeliverySnapshot {
  readonly state: 'pending' | 'delivered' | 'conflict' | 'failed';
  /** SHA-256 of the certificate that was delivered last; undefined before the first. */
  readonly delivered: string | undefined;
  /** Of one that was issued, but is not known to have arrived: the process ended in between, or the API server. */
  readonly undelivered: string | undefined;
  readonly nextRenewalAt: Date | undefined;
  /** SHA-256 of the first certificate in the Secret's tls.crt. */
  readonly secret: { readonly kind: 'absent' } | { readonly kind: 'present'; readonly holds: string | undefined };
}

/** What is to be done now. */
export type DeliveryStep =
  /** Issue and write. */
  | { readonly kind: 'issue'; readonly why: 'first' | 'renewal' | 'secret-missing' }
  /** What was issued has arrived, only nobody noted it down. */
  | { readonly kind: 'note-arrival' }
  /** The Secret holds something that this service did not write: report it, touch nothing. */
  | { readonly kind: 'conflict' }
  /** All is well. */
  | { readonly kind: 'wait' };

/**
 * Decides the next step of a delivery. Pure. What somebody else wrote into the Secret is never overwritten: only a Secret
 * that is absent, or holds what this service delivered, is written. (For the first delivery into a Secret that exists,
 * the API server decides, by the ownership of its fields.)
 */
export function decideDelivery(snapshot: DeliverySnapshot, now: Date): DeliveryStep {
  const { delivered, undelivered, secret, nextRenewalAt } = snapshot;
  if (secret.kind === 'present' && undelivered !== undefined && secret.holds === undelivered) {
    return { kind: 'note-arrival' };
  }
  if (delivered === undefined) return { kind: 'issue', why: 'first' };
  if (secret.kind === 'absent') return { kind: 'issue', why: 'secret-missing' };
  if (secret.holds !== delivered) return { kind: 'conflict' };
  if (nextRenewalAt === undefined || nextRenewalAt <= now) return { kind: 'issue', why: 'renewal' };
  return { kind: 'wait' };
}

/** How much of the time before expiry the renewal may be brought forward, so that not all certificates come due at once. */
const JITTER = 0.1;

/**
 * When a certificate is renewed: `renewBeforeSeconds` before its end, or up to a tenth of that earlier. `random` is
 * between 0 and 1. A certificate that was cut short (its issuer ends) is renewed at half its time at the earliest, so that
 * it is not renewed in a tight circle.
 */
export function renewalTime(
  certificate: { readonly issuedAt: Date; readonly notAfter: Date },
  renewBeforeSeconds: number,
  random: number,
): Date {
  const end = certificate.notAfter.getTime();
  const half = certificate.issuedAt.getTime() + (end - certificate.issuedAt.getTime()) / 2;
  return new Date(Math.max(half, end - renewBeforeSeconds * 1000 * (1 + JITTER * random)));
}

/** A third of the lifetime, where nobody says otherwise. */
export const defaultRenewBefore = (lifetimeSeconds: number): number => Math.max(10, Math.floor(lifetimeSeconds / 3));

/** How long to wait after this many failures in a row: 2 s, doubled each time, at most five minutes, give or take a fifth. */
export function retryDelayMs(failures: number, random: number): number {
  return Math.min(300_000, 1000 * 2 ** Math.min(failures, 12)) * (0.8 + 0.4 * random);
}
