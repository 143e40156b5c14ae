import type { CanarySpec, Evidence } from '@keelson/contracts';
import type { ReleaseState, Workload } from '../release/state.ts';
import type { Prometheus } from './prometheus.ts';
import { allKnown, firstAllKnown, stepSeconds, windowStart } from './window.ts';
import { countsBetween, gatewaysQuery, judgeSuccessRate, requestsQuery } from './success-rate.ts';
import { judgeWarningEvents, podNamePrefix, type FoundEvents } from './warning-events.ts';
import { judgeWorkload } from './workload.ts';

/** Where a look gets the Warning events from: event-relay's journal. */
export interface EventSource {
  /** Warning events of pods whose name begins so, seen since then. */
  warnings(filter: { namespace: string; namePrefix: string; since: Date }): Promise<FoundEvents>;
}

/** How far our clock may be from that of Prometheus. Beyond it a step cannot be cut out of what it recorded. */
const MAX_CLOCK_SKEW_MS = 30_000;

interface Target {
  readonly namespace: string;
  readonly spec: CanarySpec;
  readonly state: ReleaseState;
  readonly canary: Workload;
  /** Port of the Services that the user's Ingress names, by name or number. */
  readonly port: string | number;
}

/** One look at a release: every check asked side by side; a source that cannot be asked is an `error`, never a pass. */
export async function look(
  sources: { prometheus: Prometheus; events: EventSource },
  target: Target,
  now: Date,
): Promise<Evidence[]> {
  const { namespace, spec, state, canary } = target;
  const warningEvents = async (): Promise<Evidence> => {
    const since = state.trafficSince ?? state.startedAt;
    const namePrefix = podNamePrefix(spec.canary.deployment);
    const found = await sources.events.warnings({ namespace, namePrefix, since });
    return judgeWarningEvents(found, spec.canary.deployment, spec.analysis.warningEvents, since);
  };
  return Promise.all([
    orError('success-rate', 'Prometheus', () => successRate(sources.prometheus, target, now)),
    orError('warning-events', 'event-relay', warningEvents),
    Promise.resolve(judgeWorkload(spec.canary.deployment, canary)),
  ]);
}

async function successRate(
  prometheus: Prometheus,
  { namespace, spec, state, port }: Target,
  now: Date,
): Promise<Evidence> {
  const query = requestsQuery({ namespace, service: spec.canary.service, port });
  const from = windowStart(spec, state, now);
  const [known, gateways, after] = await Promise.all([
    prometheus.query(gatewaysQuery, from),
    prometheus.query(gatewaysQuery, now),
    prometheus.query(query, now),
  ]);
  const unclear = (summary: string): Evidence => ({ check: 'success-rate', outcome: 'inconclusive', summary, query });
  const skewMs = after.serverTime && after.serverTime.getTime() - now.getTime();
  if (skewMs !== undefined && Math.abs(skewMs) > MAX_CLOCK_SKEW_MS) {
    const seconds = Math.round(Math.abs(skewMs) / 1000);
    return unclear(
      `the clocks of this service and of Prometheus are ${seconds} s apart; the requests of this step cannot be told from others`,
    );
  }
  if (gateways.samples.length === 0) return unclear('Prometheus has no figures of a gateway');
  // A Prometheus or a gateway that is new, or was away: counted from where all of them are known.
  const start = allKnown(known.samples, gateways.samples)
    ? from
    : firstAllKnown(await prometheus.range(gatewaysQuery, from, now, stepSeconds(from, now)), gateways.samples);
  if (!start) return unclear('Prometheus has no figures of some gateway pods until now');
  const before = await prometheus.query(query, start);
  return judgeSuccessRate(countsBetween(before.samples, after.samples), spec.analysis.successRate, query);
}

async function orError(check: Evidence['check'], source: string, ask: () => Promise<Evidence>): Promise<Evidence> {
  try {
    return await ask();
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return { check, outcome: 'error', summary: `${source} could not be asked: ${words}` };
  }
}
