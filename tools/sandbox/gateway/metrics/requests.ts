import type { Location } from '../routing/table.ts';
import { Histogram, renderLabels, type Family, type Labels } from './registry.ts';

/** The default buckets of Prometheus' Go client, which ingress-nginx uses for times. In seconds. */
const TIME_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Series beyond this many are not begun: a wrong client must not fill the memory (of us, or of Prometheus). */
const MAX_SERIES = 5000;
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

type Series = { labels: Labels; owner: string; count: number; duration: Histogram };

/**
 * Requests by ingress-nginx's labels. As there, a request to a canary keeps the primary's ingress and service and has the
 * canary's backend (`namespace-service-port`) in the label `canary`. host and path are those of the rule, never of the
 * request, so that their number is bounded.
 */
export class RequestMetrics {
  readonly #constant: Labels;
  readonly #series = new Map<string, Series>();
  #dropped = 0;
  #total = 0;

  constructor(constant: Labels) {
    this.#constant = constant;
  }

  observe(
    host: string,
    location: Location | undefined,
    method: string,
    status: number,
    canary: string,
    durationMs: number,
  ): void {
    this.#total += 1;
    const { ingress, backend, path } = location ?? {};
    const owner = ingress === undefined ? '' : `${ingress.namespace}/${ingress.name}`;
    const verb = METHODS.has(method) ? method : 'OTHER';
    const key = `${host} ${owner} ${path ?? ''} ${backend?.service ?? ''} ${verb} ${status} ${canary}`;
    let series = this.#series.get(key);
    if (series === undefined) {
      if (this.#series.size >= MAX_SERIES) {
        this.#dropped += 1;
        return;
      }
      const labels = {
        canary,
        ...this.#constant,
        host,
        ingress: ingress?.name ?? '',
        method: verb,
        namespace: ingress?.namespace ?? '',
        path: path ?? '',
        service: backend?.service ?? '',
        status: String(status),
      };
      series = { labels, owner, count: 0, duration: new Histogram(TIME_BUCKETS) };
      this.#series.set(key, series);
    }
    series.count += 1;
    series.duration.observe(durationMs / 1000);
  }

  /** Forgets the series of Ingresses that are gone. */
  retain(ingresses: ReadonlySet<string>): void {
    for (const [key, { owner }] of this.#series) if (owner !== '' && !ingresses.has(owner)) this.#series.delete(key);
  }

  families(): Family[] {
    return [
      {
        name: 'nginx_ingress_controller_requests',
        help: 'The total number of client requests',
        // ingress-nginx's name has no _total, which promtool refuses of a counter.
        type: 'untyped',
        lines: () => this.#lines((s) => [`nginx_ingress_controller_requests${renderLabels(s.labels)} ${s.count}`]),
      },
      {
        name: 'nginx_ingress_controller_request_duration_seconds',
        help: 'The request processing time in seconds',
        type: 'histogram',
        lines: () =>
          this.#lines((s) => s.duration.lines('nginx_ingress_controller_request_duration_seconds', s.labels)),
      },
      {
        name: 'nginx_ingress_controller_nginx_process_requests_total',
        help: 'Total number of client requests',
        type: 'counter',
        lines: () => [
          `nginx_ingress_controller_nginx_process_requests_total${renderLabels(this.#constant)} ${this.#total}`,
        ],
      },
      {
        name: 'keelson_gateway_dropped_observations_total',
        help: `Requests not counted because there are ${MAX_SERIES} series already`,
        type: 'counter',
        lines: () => [`keelson_gateway_dropped_observations_total${renderLabels(this.#constant)} ${this.#dropped}`],
      },
    ];
  }

  #lines(of: (series: Series) => string[]): string[] {
    return [...this.#series.values()].flatMap(of);
  }
}
