import type { CanarySpec, Evidence } from '@keelson/contracts';

/** Requests by class of answer since traffic began in this step; whole counts, nothing extrapolated. */
export interface RequestCounts {
  readonly total: number;
  /** Answered 5xx. */
  readonly failed: number;
}

/**
 * Judges the share of requests not answered 5xx against the guard. Too few requests are inconclusive, never a pass: no
 * traffic proves nothing. So are counts that nobody can make (undefined).
 */
export function judgeSuccessRate(
  counts: RequestCounts | undefined,
  guard: CanarySpec['analysis']['successRate'],
  query: string,
): Evidence {
  if (counts === undefined) {
    const summary = 'Prometheus has values that are no numbers; requests cannot be counted by them';
    return { check: 'success-rate', query, threshold: guard.min, outcome: 'inconclusive', summary };
  }
  const base = { check: 'success-rate' as const, query, threshold: guard.min, sample: counts.total };
  if (counts.total < guard.minSample) {
    const summary = `${counts.total} requests so far; ${guard.minSample} are needed for a verdict`;
    return { ...base, outcome: 'inconclusive', summary };
  }
  const rate = (counts.total - counts.failed) / counts.total;
  const summary = `${percent(1 - rate)} of ${counts.total} requests failed (${counts.failed}); ${percent(1 - guard.min)} is allowed`;
  return { ...base, outcome: rate >= guard.min ? 'pass' : 'fail', value: rate, summary };
}

/** As far as Prometheus itself looks back for the present value of a series. */
const LOOKBACK = '5m';

/** One Prometheus series of a counter. */
export interface CounterSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Requests between two readings of a counter. A series that is new began at zero (Prometheus' `increase` would miss its
 * first value and scale the rest), one that fell was reset and counts from zero again. Undefined where a value is NaN or
 * infinite.
 */
export function countsBetween(
  before: readonly CounterSample[],
  now: readonly CounterSample[],
): RequestCounts | undefined {
  if ([...before, ...now].some((sample) => !Number.isFinite(sample.value))) return undefined;
  const key = (sample: CounterSample) =>
    JSON.stringify(Object.entries(sample.labels).sort(([a], [b]) => (a < b ? -1 : 1)));
  const earlier = new Map(before.map((sample) => [key(sample), sample.value]));
  let total = 0;
  let failed = 0;
  for (const sample of now) {
    const past = earlier.get(key(sample)) ?? 0;
    const grown = sample.value >= past ? sample.value - past : sample.value;
    total += grown;
    if (/^5\d\d$/.test(sample.labels['status'] ?? '')) failed += grown;
  }
  return { total, failed };
}

/**
 * PromQL for the requests that reached the new version, by status and gateway pod. ingress-nginx books them under the
 * Service of the user's own Ingress and names the canary's backend in the label `canary`, `<namespace>-<service>-<port>`.
 *
 * `last_over_time` looks past a scrape that failed: an instant selector gives nothing at that very moment, and a counter that
 * is not there would be taken for one that began at zero.
 */
export function requestsQuery(backend: { namespace: string; service: string; port: string | number }): string {
  const { namespace, service, port } = backend;
  const labels = `namespace=${quote(namespace)},canary=${quote(`${namespace}-${service}-${port}`)}`;
  return `sum by (status, controller_pod) (last_over_time(nginx_ingress_controller_requests{${labels}}[${LOOKBACK}]))`;
}

/** PromQL for the gateway pods that were scraped lately, by `controller_pod`. */
export const gatewaysQuery = `count by (controller_pod) (last_over_time(nginx_ingress_controller_config_last_reload_successful[${LOOKBACK}]) or last_over_time(nginx_ingress_controller_requests[${LOOKBACK}]))`;

/** A PromQL string literal. */
const quote = (text: string): string => JSON.stringify(text);

const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;
