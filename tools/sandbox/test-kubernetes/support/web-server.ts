import { randomInt } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export type Seen = { method: string; url: string; headers: http.IncomingHttpHeaders };

/** A pod's server without a pod: listens on 127.251.x.y:8080, which is 10.251.x.y in the API. */
export class WebServer {
  readonly name: string;
  /** As an EndpointSlice has it. */
  readonly address: string;
  readonly seen: Seen[] = [];
  readonly server: http.Server;
  readonly #sockets = new Set<Socket>();

  private constructor(name: string, address: string, server: http.Server) {
    this.name = name;
    this.address = address;
    this.server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  /** Answers its name, unless told otherwise. */
  static async start(
    name: string,
    answer?: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<WebServer> {
    for (;;) {
      const host = `251.${randomInt(1, 255)}.${randomInt(1, 255)}`;
      const server = http.createServer();
      const web = new WebServer(name, `10.${host}`, server);
      server.on('request', (request, response) => {
        web.seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
        if (answer !== undefined) answer(request, response);
        else request.resume().on('end', () => response.end(name));
      });
      const free = await new Promise<boolean>((resolve) => {
        server.once('error', () => resolve(false));
        server.listen(8080, `127.${host}`, () => resolve(true));
      });
      if (free) return web;
    }
  }

  /** As a polite process ends: no new connections, idle ones closed, requests under way finished. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeIdleConnections();
    });
  }

  async kill(): Promise<void> {
    const closed = this.close();
    // Upgraded connections are no longer the server's own.
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
