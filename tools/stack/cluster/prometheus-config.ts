import { stringify } from 'yaml';

export interface ScrapeTargets {
  /** `host:port` of services that run beside the cluster, by name. */
  readonly services: Readonly<Record<string, string>>;
  /** `host:port` of the gateway's metrics. */
  readonly gateway: string;
  readonly rabbitMq: string | undefined;
  /** File of targets that {@link PodTargets} keeps. */
  readonly podsFile: string;
}

/** Prometheus for the local platform: every second, so that a story of three minutes has figures. */
export function prometheusConfig(targets: ScrapeTargets): string {
  const fixed = (job: string, address: string, extra: object = {}) => ({
    job_name: job,
    static_configs: [{ targets: [address] }],
    ...extra,
  });
  return stringify({
    global: { scrape_interval: '1s', scrape_timeout: '900ms', evaluation_interval: '5s' },
    scrape_configs: [
      fixed('gateway', targets.gateway),
      ...Object.entries(targets.services).map(([name, address]) => fixed(name, address)),
      ...(targets.rabbitMq === undefined
        ? []
        : [fixed('rabbitmq', targets.rabbitMq, { scrape_interval: '5s', scrape_timeout: '4s' })]),
      { job_name: 'pods', file_sd_configs: [{ files: [targets.podsFile], refresh_interval: '1s' }] },
    ],
  });
}
