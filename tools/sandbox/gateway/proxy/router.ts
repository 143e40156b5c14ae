import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { choosesCanary, cookieValue } from '../canary/policy.ts';
import type { Upstreams } from '../endpoints/upstreams.ts';
import type { RequestMetrics } from '../metrics/requests.ts';
import { normalisePath } from '../routing/paths.ts';
import {
  findLocation,
  findServer,
  type Backend,
  type Location,
  type RoutingTable,
  type Server,
} from '../routing/table.ts';
import { bodyOf, BodyTooLargeError } from './body.ts';
import { Exchange } from './exchange.ts';
import { hostOf, upstreamHeaders } from './headers.ts';
import { sendDefaultBackend, sendError, sendRedirect } from './pages.ts';
import { proxyUpgrade } from './upgrade.ts';

/** What is answered to a request without a pod, or the pod's backend to send it to. */
type Decision =
  | { kind: 'status'; status: 400 | 503 }
  | { kind: 'default' }
  | { kind: 'redirect'; location: string }
  | { kind: 'proxy'; backend: string; canary: string };

type Routed = { server: Server; location: Location | undefined; host: string; target: string; decision: Decision };

/** Never redirected to HTTPS, as ingress-nginx's no-tls-redirect-locations: ACME's HTTP-01 needs it. */
const NO_REDIRECT = '/.well-known/acme-challenge';

/** Takes every request of the gateway's servers from its Host header to its end. */
export class Router {
  table: RoutingTable;
  httpsPort = 443;
  readonly #upstreams: Upstreams;
  readonly #metrics: RequestMetrics;
  readonly #random: () => number;

  constructor(options: { table: RoutingTable; upstreams: Upstreams; metrics: RequestMetrics; random?: () => number }) {
    this.table = options.table;
    this.#upstreams = options.upstreams;
    this.#metrics = options.metrics;
    this.#random = options.random ?? Math.random;
  }

  async handle(request: IncomingMessage, response: ServerResponse, scheme: 'http' | 'https'): Promise<void> {
    const began = performance.now();
    const routed = this.#route(request, scheme);
    const status = await this.#answer(routed, request, response, scheme);
    const canary = routed.decision.kind === 'proxy' ? routed.decision.canary : '';
    this.#metrics.observe(
      routed.server.host,
      routed.location,
      request.method ?? '',
      status,
      canary,
      performance.now() - began,
    );
  }

  async handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, scheme: 'http' | 'https'): Promise<void> {
    const began = performance.now();
    const { decision, location, server, host, target } = this.#route(request, scheme);
    socket.on('error', () => {
      // The client is gone; 'close' follows and ends the other side.
    });
    let status = 404;
    if (decision.kind === 'proxy' && location !== undefined) {
      const headers = upstreamHeaders(request.rawHeaders, forwardedFrom(request, host, scheme));
      status = await proxyUpgrade({
        request,
        socket,
        head,
        upstreams: this.#upstreams,
        backend: decision.backend,
        settings: location.settings,
        target,
        headers,
      });
    } else {
      if (decision.kind === 'status') status = decision.status;
      socket.end(`HTTP/1.1 ${status} \r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    }
    const canary = decision.kind === 'proxy' ? decision.canary : '';
    this.#metrics.observe(server.host, location, request.method ?? '', status, canary, performance.now() - began);
  }

  #route(request: IncomingMessage, scheme: 'http' | 'https'): Routed {
    const { name, header, target } = hostOf(request);
    const server = findServer(this.table, name);
    const path = normalisePath(target);
    const location = path === undefined ? undefined : findLocation(server, path);
    const decision: Decision =
      path === undefined
        ? { kind: 'status', status: 400 }
        : this.#decide(request, scheme, { server, location, name, target, path });
    return { server, location, host: header, target, decision };
  }

  #decide(
    request: IncomingMessage,
    scheme: 'http' | 'https',
    at: { server: Server; location: Location | undefined; name: string; target: string; path: string },
  ): Decision {
    const { server, location, name, target, path } = at;
    if (location?.backend === undefined) return { kind: 'default' };
    const { settings, backend } = location;
    const redirects = settings.forceSslRedirect || (settings.sslRedirect && server.tls !== undefined);
    if (scheme === 'http' && redirects && !path.startsWith(NO_REDIRECT)) {
      const port = this.httpsPort === 443 ? '' : `:${this.httpsPort}`;
      return { kind: 'redirect', location: `https://${name}${port}${target}` };
    }
    // As ingress-nginx: a primary without endpoints is 503, whatever its canary has.
    if (!this.#upstreams.has(backend.name)) return { kind: 'status', status: 503 };
    const canary = this.#canaryOf(backend, request);
    return { kind: 'proxy', backend: canary ?? backend.name, canary: canary ?? '' };
  }

  #canaryOf(primary: Backend, request: IncomingMessage): string | undefined {
    const name = primary.alternatives[0];
    const policy = name === undefined ? undefined : this.table.backends.get(name)?.policy;
    if (name === undefined || policy === undefined || !this.#upstreams.has(name)) return undefined;
    const { headers } = request;
    const view = {
      header: (header: string): string | undefined => {
        const value = headers[header];
        return Array.isArray(value) ? value.join(', ') : value;
      },
      cookie: (cookie: string): string | undefined => cookieValue(headers.cookie, cookie),
    };
    return choosesCanary(policy, view, this.#random) ? name : undefined;
  }

  async #answer(
    routed: Routed,
    request: IncomingMessage,
    response: ServerResponse,
    scheme: 'http' | 'https',
  ): Promise<number> {
    const { decision, location, host, target } = routed;
    if (location === undefined || decision.kind === 'default') {
      if (decision.kind === 'status') sendError(response, decision.status);
      else sendDefaultBackend(response);
      return response.statusCode;
    }
    try {
      const body = await bodyOf(request, location.settings.bodyLimit);
      if (decision.kind === 'redirect') {
        sendRedirect(response, decision.location);
        return 308;
      }
      if (decision.kind === 'status') {
        sendError(response, decision.status, body.kind === 'stream');
        return decision.status;
      }
      const headers = upstreamHeaders(request.rawHeaders, forwardedFrom(request, host, scheme));
      const { settings } = location;
      return await new Exchange({
        request,
        response,
        upstreams: this.#upstreams,
        backend: decision.backend,
        settings,
        target,
        headers,
        body,
      }).start().done;
    } catch (error) {
      if (response.headersSent || response.destroyed) return 499;
      // The client broke off in the middle of its body.
      const status = error instanceof BodyTooLargeError ? 413 : 400;
      sendError(response, status, true);
      return status;
    }
  }
}

function forwardedFrom(request: IncomingMessage, host: string, scheme: 'http' | 'https') {
  const given = request.headers['x-request-id'];
  return {
    clientAddress: request.socket.remoteAddress ?? '',
    host,
    port: request.socket.localPort ?? 0,
    scheme,
    // nginx's $req_id: the client's if it sent one, else 32 hexadecimal digits.
    requestId: typeof given === 'string' && given !== '' ? given : randomUUID().replaceAll('-', ''),
  };
}
