import type { Certificate, Delivery } from '@keelson/contracts';
import { isReplaced, lifeOf, namesOf } from '../certificates/expiry.ts';
import { relative } from '../parts/relative.ts';
import { addressOf } from '../routing/match.ts';
import type { Finding } from './finding.ts';

/** Certificates whose end is near and that nothing has replaced. */
export function certificateFindings(certificates: readonly Certificate[], now: number): Finding[] {
  return certificates.flatMap((certificate) => {
    if (certificate.state !== 'valid' || isReplaced(certificate, certificates)) return [];
    const life = lifeOf(certificate, now);
    if (life === 'fresh') return [];
    const names = namesOf(certificate);
    const end = Date.parse(certificate.notAfter);
    return [
      {
        key: `certificate/${certificate.id}`,
        severity: life === 'soon' ? ('warning' as const) : ('critical' as const),
        title: `Certificate of ${names[0]} ${life === 'over' ? 'has expired' : `expires ${relative(end, now)}`}`,
        detail: names.length === 1 ? `serial ${certificate.serial}` : `for ${names.join(', ')}`,
        to: addressOf('certificate', { id: certificate.id }),
      },
    ];
  });
}

/** Secrets that do not get their certificate. */
export function deliveryFindings(deliveries: readonly Delivery[]): Finding[] {
  return deliveries.flatMap(({ id, state, secret, reason, dnsNames }) => {
    if (state !== 'conflict' && state !== 'failed') return [];
    return [
      {
        key: `delivery/${id}`,
        severity: 'critical' as const,
        title: `Secret ${secret.namespace}/${secret.name} does not get its certificate`,
        detail: reason ?? `the delivery for ${dnsNames.join(', ')} is in the state ${state}`,
        to: `${addressOf('certificates')}#deliveries`,
      },
    ];
  });
}
