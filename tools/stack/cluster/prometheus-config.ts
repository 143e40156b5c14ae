import { stringify } from 'yaml';

export interface ScrapeTargets {
  /** `host:port` of services that run beside the cluster, by name. */
  readonly services: Readonly<Record<string, string>>;
  /** `host:port` of the gateway's metrics. */
  readonly gateway: string;
  readonly rabbitMq: string | undefined;
  readonly kubeconfig: string;
  readonly namespaces: readonly string[];
}

/**
 * Prometheus for the local platform: every second, so that a story of three minutes has figures. Pods are found through
 * the Kubernetes API as in a real cluster; only their addresses are mapped, see tools/sandbox/README.md.
 */
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
      {
        job_name: 'pods',
        kubernetes_sd_configs: [
          { role: 'pod', kubeconfig_file: targets.kubeconfig, namespaces: { names: targets.namespaces } },
        ],
        relabel_configs: [
          { source_labels: ['__meta_kubernetes_pod_annotation_prometheus_io_scrape'], action: 'keep', regex: 'true' },
          // The pod network of the sandbox: 10.a.b.c in the API is 127.a.b.c on this machine.
          {
            source_labels: ['__meta_kubernetes_pod_ip', '__meta_kubernetes_pod_annotation_prometheus_io_port'],
            regex: '10\\.(.+);(\\d+)',
            replacement: '127.$1:$2',
            target_label: '__address__',
          },
          { source_labels: ['__meta_kubernetes_namespace'], target_label: 'namespace' },
          { source_labels: ['__meta_kubernetes_pod_name'], target_label: 'pod' },
          { source_labels: ['__meta_kubernetes_pod_label_app'], target_label: 'app' },
          { source_labels: ['__meta_kubernetes_pod_label_version'], target_label: 'version' },
        ],
      },
    ],
  });
}
