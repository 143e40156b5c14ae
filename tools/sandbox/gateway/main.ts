import http from 'node:http';
import { KubernetesClient } from '@keelson/kubernetes';
import { Upstreams } from './endpoints/upstreams.ts';
import { GatewayMetrics } from './metrics/gateway.ts';
import { renderFamilies } from './metrics/registry.ts';
import { RequestMetrics } from './metrics/requests.ts';
import { parseOptions, usage, type GatewayOptions } from './options.ts';
import { Router } from './proxy/router.ts';
import { compile } from './routing/compile.ts';
import type { RoutingTable } from './routing/table.ts';
import { listen, Servers } from './servers.ts';
import { ClusterState } from './state.ts';
import { Publisher } from './status/publisher.ts';
import { Certificates } from './tls/certificates.ts';

/** How long requests under way have when the gateway is stopped. */
const DRAIN_MS = 5000;

const warn = (message: string): void => {
  process.stderr.write(`sandbox gateway: ${message}\n`);
};

async function run(options: GatewayOptions): Promise<() => Promise<void>> {
  const client = KubernetesClient.fromKubeconfig(options.kubeconfig);
  const labels = {
    controller_class: 'k8s.io/ingress-nginx',
    controller_namespace: options.podNamespace,
    controller_pod: options.podName,
  };
  const requests = new RequestMetrics(labels);
  const gateway = new GatewayMetrics(labels);
  // 10.x.y.z in the API is 127.x.y.z on this machine.
  const loopback = (address: string): string => address.replace(/^10\./, '127.');
  const upstreams = new Upstreams(options.podNetwork === 'loopback' ? loopback : (address) => address);
  const certificates = new Certificates({ defaultSecret: options.defaultCertificate, now: new Date(), warn });
  const router = new Router({ table: compile([], options.className).table, upstreams, metrics: requests });
  const servers = new Servers(router, certificates);
  const publisher = options.publish
    ? new Publisher({ client, address: options.listen, pod: options.podName, warn })
    : undefined;
  const state = new ClusterState({
    client,
    className: options.className,
    namespace: options.namespace,
    upstreams,
    certificates,
    onTable: (table, faults, ours) => {
      router.table = table;
      requests.retain(new Set(ours.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)));
      gateway.reloaded(new Date(), true);
      gateway.certificates(expiries(table, certificates));
      publisher?.publish(ours, faults);
    },
    onCertificate: () => {
      servers.useDefaultCertificate();
      gateway.certificates(expiries(router.table, certificates));
    },
    warn,
  });
  await state.start();
  const { httpPort, httpsPort } = await servers.listen(options.listen, options.httpPort, options.httpsPort);
  router.httpsPort = httpsPort;
  const metrics = http.createServer((request, response) => void answer(request, response));
  const answer = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    if (request.url === '/healthz') {
      response.end('ok');
      return;
    }
    if (request.url !== '/metrics') {
      response.writeHead(404).end('only /metrics and /healthz are here\n');
      return;
    }
    gateway.connections = { active: await servers.active(), accepted: servers.accepted };
    response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    response.end(renderFamilies([...requests.families(), ...gateway.families()]));
  };
  const metricsPort = await listen(metrics, options.listen, options.metricsPort);
  process.stdout.write(
    `${JSON.stringify({
      ready: true,
      http: `http://${options.listen}:${httpPort}`,
      https: `https://${options.listen}:${httpsPort}`,
      metrics: `http://${options.listen}:${metricsPort}/metrics`,
      httpPort,
      httpsPort,
      metricsPort,
    })}\n`,
  );
  return async () => {
    await state.stop();
    await servers.close(DRAIN_MS);
    metrics.close();
    metrics.closeAllConnections();
    await upstreams.close();
    client.close();
  };
}

function expiries(table: RoutingTable, certificates: Certificates): Map<string, Date> {
  const servers = [...table.servers.values(), ...table.wildcards.values(), table.catchAll];
  return new Map(
    servers.flatMap(({ host, tls }) => (tls === undefined ? [] : [[host, certificates.get(tls.secret).expires]])),
  );
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(usage);
  } else {
    let stop: (() => Promise<void>) | undefined;
    let asked = false;
    const end = (): void => {
      if (asked) return;
      asked = true;
      setTimeout(() => process.exit(0), DRAIN_MS + 3000).unref();
      void (stop?.() ?? Promise.resolve()).finally(() => process.exit(0));
    };
    process.on('SIGTERM', end);
    process.on('SIGINT', end);
    stop = await run(options);
  }
} catch (error) {
  process.stderr.write(`sandbox gateway: ${(error as Error).message}\n`);
  process.exit(1);
}
