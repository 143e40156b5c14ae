import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import type { Router } from './proxy/router.ts';
import { findServer } from './routing/table.ts';
import type { Certificates } from './tls/certificates.ts';

/** nginx's keepalive_timeout in ingress-nginx. */
const KEEP_ALIVE_MS = 75_000;

/** The gateway's HTTP and HTTPS servers. */
export class Servers {
  readonly #plain: http.Server;
  readonly #secure: https.Server;
  readonly #certificates: Certificates;
  #accepted = 0;
  #draining = false;

  constructor(router: Router, certificates: Certificates) {
    this.#certificates = certificates;
    const limits = {
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: 60_000,
      // A long upload is a stream like any other; silence is what the read timeout is for.
      requestTimeout: 0,
      // Other protocols than WebSocket are answered as plain requests, as a server may (RFC 9110 7.8).
      shouldUpgradeCallback: (request: http.IncomingMessage) => request.headers.upgrade?.toLowerCase() === 'websocket',
    };
    this.#plain = http.createServer(limits);
    const { certificate, key } = certificates.default;
    this.#secure = https.createServer({
      ...limits,
      cert: certificate,
      key,
      minVersion: 'TLSv1.2',
      SNICallback: (name, done) => {
        const server = findServer(router.table, name.toLowerCase());
        done(null, certificates.get(server.tls?.secret).context);
      },
    });
    for (const [server, scheme] of [
      [this.#plain, 'http'],
      [this.#secure, 'https'],
    ] as const) {
      server.on('request', (request, response) => {
        if (this.#draining) response.shouldKeepAlive = false;
        void router.handle(request, response, scheme);
      });
      server.on('upgrade', (request: http.IncomingMessage, socket: Socket, head: Buffer) => {
        void router.handleUpgrade(request, socket, head, scheme);
      });
      server.on('connection', () => {
        this.#accepted += 1;
      });
      server.on('clientError', (_error: Error, socket: Socket) => {
        if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
        else socket.destroy();
      });
    }
  }

  async listen(host: string, httpPort: number, httpsPort: number): Promise<{ httpPort: number; httpsPort: number }> {
    return {
      httpPort: await listen(this.#plain, host, httpPort),
      httpsPort: await listen(this.#secure, host, httpsPort),
    };
  }

  /** The default certificate, for clients without SNI, may have changed. Connections that are open keep theirs. */
  useDefaultCertificate(): void {
    const { certificate, key } = this.#certificates.default;
    this.#secure.setSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' });
  }

  get accepted(): number {
    return this.#accepted;
  }

  async active(): Promise<number> {
    const counts = await Promise.all([this.#plain, this.#secure].map(connectionsOf));
    return counts.reduce((a, b) => a + b, 0);
  }

  /** Takes no more connections, lets what is under way end, and after `graceMs` cuts off the rest. */
  async close(graceMs: number): Promise<void> {
    this.#draining = true;
    const servers = [this.#plain, this.#secure];
    const closed = Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
    for (const server of servers) server.closeIdleConnections();
    const timer = setTimeout(() => {
      for (const server of servers) server.closeAllConnections();
    }, graceMs);
    await closed;
    clearTimeout(timer);
  }
}

export function listen(server: NetServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new Error(
          error.code === 'EADDRINUSE'
            ? `port ${port} of ${host} is in use; give another one, or 0 for any free one`
            : error.message,
        ),
      );
    });
    server.listen(port, host, () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

const connectionsOf = (server: NetServer): Promise<number> =>
  new Promise((resolve) => {
    server.getConnections((_error, count) => {
      resolve(count);
    });
  });
