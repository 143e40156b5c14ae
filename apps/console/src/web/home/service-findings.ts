import type { PlatformStatus } from '../../status.ts';
import type { Finding } from './finding.ts';

const TITLES = {
  'not-ready': 'is not ready',
  draining: 'is shutting down',
  unreachable: 'does not answer',
} as const;

/** Services that cannot do their work. */
export function serviceFindings(status: PlatformStatus): Finding[] {
  return status.services.flatMap(({ key, service, state, reason }) =>
    state === 'ready'
      ? []
      : [
          {
            key: `service/${key}`,
            severity: state === 'draining' ? ('warning' as const) : ('critical' as const),
            title: `${service} ${TITLES[state]}`,
            detail: reason ?? 'it gives no reason',
            to: '/#services',
          },
        ],
  );
}
