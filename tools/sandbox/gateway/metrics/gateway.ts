import { renderLabels, type Family, type Labels } from './registry.ts';

/** The state of the configuration, under ingress-nginx's names. */
export class GatewayMetrics {
  readonly #constant: Labels;
  #reloadedAt = 0;
  #successful = true;
  #hosts = new Map<string, Date>();
  connections: { active: number; accepted: number } = { active: 0, accepted: 0 };

  constructor(constant: Labels) {
    this.#constant = constant;
  }

  reloaded(at: Date, successful: boolean): void {
    this.#successful = successful;
    if (successful) this.#reloadedAt = Math.floor(at.getTime() / 1000);
  }

  /** When the certificate of each TLS host expires. */
  certificates(hosts: ReadonlyMap<string, Date>): void {
    this.#hosts = new Map(hosts);
  }

  families(): Family[] {
    const { controller_class: className = '', controller_namespace: namespace = '' } = this.#constant;
    const gauge = (name: string, help: string, value: number): Family => ({
      name,
      help,
      type: 'gauge',
      lines: () => [`${name}${renderLabels(this.#constant)} ${value}`],
    });
    return [
      gauge(
        'nginx_ingress_controller_config_last_reload_successful',
        'Whether the last configuration reload attempt was successful',
        this.#successful ? 1 : 0,
      ),
      gauge(
        'nginx_ingress_controller_config_last_reload_successful_timestamp_seconds',
        'Timestamp of the last successful configuration reload.',
        this.#reloadedAt,
      ),
      {
        name: 'nginx_ingress_controller_ssl_expire_time_seconds',
        help: 'Number of seconds since 1970 to the SSL Certificate expire.',
        type: 'gauge',
        lines: () =>
          [...this.#hosts].map(([host, expires]) => {
            const labels = renderLabels({ class: className, host, namespace });
            return `nginx_ingress_controller_ssl_expire_time_seconds${labels} ${Math.floor(expires.getTime() / 1000)}`;
          }),
      },
      {
        name: 'nginx_ingress_controller_nginx_process_connections',
        help: 'current number of client connections with state {active, reading, writing, waiting}',
        type: 'gauge',
        lines: () => [
          `nginx_ingress_controller_nginx_process_connections${renderLabels({ ...this.#constant, state: 'active' })} ${this.connections.active}`,
        ],
      },
      {
        name: 'nginx_ingress_controller_nginx_process_connections_total',
        help: 'total number of connections with state {accepted, handled}',
        type: 'counter',
        lines: () =>
          ['accepted', 'handled'].map(
            (state) =>
              `nginx_ingress_controller_nginx_process_connections_total${renderLabels({ ...this.#constant, state })} ${this.connections.accepted}`,
          ),
      },
    ];
  }
}
