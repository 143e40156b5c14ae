import type { Certificate } from '@keelson/contracts';

const DAY_MS = 86_400_000;
/** A certificate wants attention this long before its end at the latest, however long it lives. */
export const ATTENTION_MS = 30 * DAY_MS;

/** How a certificate's life stands. `soon`: less than a third of it is left; `now`: less than a tenth. */
export type Life = 'fresh' | 'soon' | 'now' | 'over';

type Validity = Pick<Certificate, 'notBefore' | 'notAfter'>;

/**
 * Where a certificate stands in its life. A share and not a number of days: certificates live from an hour to years, and
 * what renews itself does so when a third is left.
 */
export function lifeOf({ notBefore, notAfter }: Validity, now: number): Life {
  const end = Date.parse(notAfter);
  const left = end - now;
  if (left <= 0) return 'over';
  const lifetime = end - Date.parse(notBefore);
  // Renewal is due at a third; a little later it is late.
  if (left < Math.min(lifetime * 0.1, ATTENTION_MS / 3)) return 'now';
  return left < Math.min(lifetime * 0.3, ATTENTION_MS) ? 'soon' : 'fresh';
}

/** Share of its life that is over, 0 to 1. */
export function lived({ notBefore, notAfter }: Validity, now: number): number {
  const begin = Date.parse(notBefore);
  return Math.min(1, Math.max(0, (now - begin) / (Date.parse(notAfter) - begin)));
}

/** Whether another valid certificate has all of its names and lives longer: then nobody waits for this one. */
export function isReplaced(certificate: Certificate, others: readonly Certificate[]): boolean {
  const names = namesOf(certificate);
  return others.some(
    (other) =>
      other.id !== certificate.id &&
      other.state === 'valid' &&
      other.team === certificate.team &&
      other.notAfter > certificate.notAfter &&
      names.every((name) => namesOf(other).includes(name)),
  );
}

/** Every name a certificate is for, or its subject where it has none. */
export function namesOf({ dnsNames, ipAddresses, uris, subject }: Certificate): string[] {
  const names = [...dnsNames, ...ipAddresses, ...uris];
  return names.length > 0 ? names : [subject === '' ? 'no name' : subject];
}
