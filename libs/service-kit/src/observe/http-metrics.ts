import type { FastifyInstance } from 'fastify';
import { gauge, histogram } from './metrics.ts';

const duration = () =>
  histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Duration of HTTP requests by route template',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });

const inFlight = () => gauge({ name: 'http_server_active_requests', help: 'HTTP requests that are being answered' });

/** Measures every request under its route template; paths that match nothing share one, so that strangers cannot make series. */
export function measureRequests(server: FastifyInstance): void {
  const seconds = duration();
  const active = inFlight();
  server.addHook('onRequest', (_request, _reply, done) => {
    active.inc();
    done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    active.dec();
    const route = request.routeOptions.url?.replaceAll(/:(\w+)/g, '{$1}') ?? 'none';
    seconds.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
    done();
  });
}
