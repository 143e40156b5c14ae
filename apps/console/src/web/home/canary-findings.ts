import type { Canary } from '@keelson/contracts';
import { addressOf } from '../routing/match.ts';
import type { Finding } from './finding.ts';

/** A new version that is not ready for so long will hardly become so by itself. */
const PENDING_LIMIT_MS = 300_000;
/** A release that was rolled back is news for a day; then it is history. */
const ROLLED_BACK_NEWS_MS = 86_400_000;

/** Releases that failed, wait for somebody, or are about to fail. */
export function canaryFindings(canaries: readonly Canary[], now: number): Finding[] {
  return canaries.flatMap((canary) => {
    const found = judge(canary, now);
    if (found === undefined) return [];
    const { namespace, name } = canary;
    return [
      {
        key: `canary/${namespace}/${name}`,
        title: `${namespace}/${name} ${found.title}`,
        severity: found.severity,
        detail: found.detail ?? canary.reason,
        to: addressOf('canary', { namespace, name }),
        since: canary.since,
      },
    ];
  });
}

function judge(canary: Canary, now: number): (Pick<Finding, 'severity' | 'title'> & { detail?: string }) | undefined {
  const age = now - Date.parse(canary.since);
  switch (canary.phase) {
    case 'RollingBack':
      return { severity: 'critical', title: 'is being rolled back' };
    case 'RolledBack':
      return age > ROLLED_BACK_NEWS_MS ? undefined : { severity: 'warning', title: 'was rolled back' };
    case 'Refused':
      return { severity: 'warning', title: 'is refused' };
    case 'Paused':
      return { severity: 'warning', title: 'waits for a decision' };
    case 'Pending':
      return age > PENDING_LIMIT_MS ? { severity: 'warning', title: 'does not get ready' } : undefined;
    case 'Progressing': {
      const failing = canary.evidence.filter(({ outcome }) => outcome === 'fail');
      if (failing.length === 0) return undefined;
      return { severity: 'critical', title: 'looks bad', detail: failing.map(({ summary }) => summary).join('; ') };
    }
    case 'Promoting':
    case 'Promoted':
      return undefined;
    default:
      return canary.phase satisfies never;
  }
}
