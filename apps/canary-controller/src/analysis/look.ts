import type { CanarySpec, Evidence, JournalEvent } from '@keelson/contracts';
import type { ReleaseState, Workload } from '../release/state.ts';
import type { Prometheus } from './prometheus.ts';
import { countsBetween, judgeSuccessRate, requestsQuery } from './success-rate.ts';
import { judgeWarningEvents } from './warning-events.ts';
import { judgeWorkload } from './workload.ts';

/** Where a look gets the Warning events from: event-relay's journal. */
export interface EventSource {
  /** Warning events of pods whose name begins so, seen since then. */
  warnings(filter: { namespace: string; namePrefix: string; since: Date }): Promise<JournalEvent[]>;
}

/** One look at a release: every check asked side by side; a source that cannot be asked is an `error`, never a pass. */
export async function look(
  sources: { prometheus: Prometheus; events: EventSource },
  target: { namespace: string; spec: CanarySpec; state: ReleaseState; canary: Workload; port: string | number },
  now: Date,
): Promise<Evidence[]> {
  const { namespace, spec, state, canary, port } = target;
  const query = requestsQuery({ namespace, service: spec.canary.service, port });
  const successRate = async (): Promise<Evidence> => {
    const [before, after] = await Promise.all([
      sources.prometheus.query(query, state.since),
      sources.prometheus.query(query, now),
    ]);
    return judgeSuccessRate(countsBetween(before, after), spec.analysis.successRate, query);
  };
  const warningEvents = async (): Promise<Evidence> => {
    const since = state.trafficSince ?? state.startedAt;
    const namePrefix = `${spec.canary.deployment}-`;
    const events = await sources.events.warnings({ namespace, namePrefix, since });
    return judgeWarningEvents(events, spec.canary.deployment, spec.analysis.warningEvents, since);
  };
  return Promise.all([
    orError('success-rate', 'Prometheus', successRate),
    orError('warning-events', 'event-relay', warningEvents),
    Promise.resolve(judgeWorkload(spec.canary.deployment, canary)),
  ]);
}

async function orError(check: Evidence['check'], source: string, ask: () => Promise<Evidence>): Promise<Evidence> {
  try {
    return await ask();
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return { check, outcome: 'error', summary: `${source} could not be asked: ${words}` };
  }
}
