import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A gateway's figures as a test wants them, in the format that Prometheus scrapes: what ingress-nginx would count if so
 * many requests came. Where it matters how they are counted, the tests use the gateway itself.
 */
export class Figures {
  readonly #counts = new Map<string, { ok: number | 'NaN'; failed: number }>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(this.#text());
    });
  }

  /** Its address for Prometheus, `host:port`. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** So many more requests have reached the Service's port `http` as the new version. */
  add(backend: { namespace: string; service: string }, ok: number, failed = 0): void {
    const canary = `${backend.namespace}-${backend.service}-http`;
    const before = this.#counts.get(canary) ?? { ok: 0, failed: 0 };
    const counted = before.ok === 'NaN' ? ok : before.ok + ok;
    this.#counts.set(canary, { ok: counted, failed: before.failed + failed });
  }

  /** The counter of that backend is no number any more. */
  spoil(backend: { namespace: string; service: string }): void {
    this.#counts.set(`${backend.namespace}-${backend.service}-http`, { ok: 'NaN', failed: 0 });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #text(): string {
    const lines = [
      '# TYPE nginx_ingress_controller_config_last_reload_successful gauge',
      'nginx_ingress_controller_config_last_reload_successful{controller_pod="figures"} 1',
      '# TYPE nginx_ingress_controller_requests untyped',
    ];
    for (const [canary, { ok, failed }] of this.#counts) {
      const namespace = canary.slice(0, canary.indexOf('-shop'));
      const labels = (status: number): string =>
        `controller_pod="figures",namespace="${namespace}",service="shop-v1",canary="${canary}",status="${status}"`;
      lines.push(`nginx_ingress_controller_requests{${labels(202)}} ${ok}`);
      lines.push(`nginx_ingress_controller_requests{${labels(500)}} ${failed}`);
    }
    return `${lines.join('\n')}\n`;
  }
}
