import type { QueueState } from '@keelson/contracts';
import { addressOf } from '../routing/match.ts';
import { counted, type Finding } from './finding.ts';

/** Queues that nobody reads or that cannot be read, and messages that were given up. */
export function queueFindings(queues: readonly QueueState[]): Finding[] {
  // What all services share, each of them tells of.
  const once = queues.filter(({ queue }, index) => queues.findIndex((one) => one.queue === queue) === index);
  return once.flatMap(({ queue, ready, consumers, parked, lotOnly, fault }) => {
    const to = addressOf('queue', { queue });
    const findings: Finding[] = [];
    if (fault !== undefined) {
      findings.push({
        key: `queue/${queue}`,
        severity: 'critical',
        title: `Queue ${queue} cannot be read`,
        detail: fault,
        to,
      });
    } else if (consumers === 0 && lotOnly !== true) {
      findings.push({
        key: `queue/${queue}`,
        severity: 'critical',
        title: `Nobody reads queue ${queue}`,
        detail: `${counted(ready, 'message')} ${ready === 1 ? 'waits' : 'wait'} in it.`,
        to,
      });
    }
    if (parked > 0) {
      findings.push({
        key: `parked/${queue}`,
        severity: 'warning',
        title: `${counted(parked, 'message')} of ${queue} given up`,
        detail: 'They are parked, each with the reason, and can be corrected and sent again.',
        to: `${to}#parked`,
      });
    }
    return findings;
  });
}
