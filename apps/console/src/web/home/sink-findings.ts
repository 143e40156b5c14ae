import type { Gap, Sink } from '@keelson/contracts';
import { addressOf } from '../routing/match.ts';
import { counted, type Finding } from './finding.ts';

/** A sink that is further behind than this is no longer telling what happens now. */
const LAG_LIMIT_SECONDS = 60;
const GAP_NEWS_MS = 86_400_000;

/** Sinks that do not deliver, events that they rejected, and events that were never seen. */
export function sinkFindings(sinks: readonly Sink[]): Finding[] {
  return sinks.flatMap((sink) => {
    const about = { to: addressOf('sinks', undefined, { sink: sink.name }) };
    const findings: Finding[] = [];
    const late = sink.lagSeconds > LAG_LIMIT_SECONDS;
    if (sink.state !== 'delivering' || late) {
      const behind = `${counted(sink.lagEvents, 'event')} behind, the oldest by ${Math.round(sink.lagSeconds)} s`;
      findings.push({
        ...about,
        key: `sink/${sink.name}`,
        severity: sink.state === 'stopped' ? 'critical' : 'warning',
        title: `Sink ${sink.name} ${STATES[sink.state]}`,
        detail: sink.lastError === undefined ? behind : `${sink.lastError}; ${behind}`,
      });
    }
    if (sink.deadLetters > 0) {
      findings.push({
        ...about,
        key: `dead-letters/${sink.name}`,
        severity: 'warning',
        title: `${counted(sink.deadLetters, 'event')} rejected by sink ${sink.name}`,
        detail: 'They lie among the dead letters, each with the reason, and can be tried again.',
      });
    }
    return findings;
  });
}

const STATES = { delivering: 'is late', retrying: 'is retrying', stopped: 'has stopped' } as const;

export function gapFindings(gaps: readonly Gap[], now: number): Finding[] {
  return gaps
    .filter((gap) => now - Date.parse(gap.to) < GAP_NEWS_MS)
    .map((gap) => ({
      key: `gap/${gap.id}`,
      severity: 'warning',
      title: `Events of cluster ${gap.cluster} may be missing`,
      detail: gap.detail,
      to: `${addressOf('sinks')}#gaps`,
      since: gap.to,
    }));
}
