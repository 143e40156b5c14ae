import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { endpointKey, type Upstreams } from '../endpoints/upstreams.ts';
import type { Settings } from '../routing/annotations.ts';
import { responseHeaders } from './headers.ts';

export type UpgradeOptions = {
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
  upstreams: Upstreams;
  backend: string;
  settings: Settings;
  target: string;
  headers: string[];
};

/**
 * Passes a WebSocket handshake on and then the bytes both ways, until one side ends. Resolves with the status of the
 * handshake: 101, or what the pod said instead, or 502, 503, 504.
 */
export async function proxyUpgrade(options: UpgradeOptions): Promise<number> {
  const tried = new Set<string>();
  let status = 503;
  for (;;) {
    const endpoint = options.upstreams.pick(options.backend, tried);
    if (endpoint === undefined) break;
    tried.add(endpointKey(endpoint));
    const outcome = await attempt(options, options.upstreams.addressOf(endpoint), endpoint.port);
    if (typeof outcome === 'number') return outcome;
    status = outcome.status;
    if (outcome.sent) break;
  }
  options.socket.end(
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
  return status;
}

function attempt(
  options: UpgradeOptions,
  host: string,
  port: number,
): Promise<number | { sent: boolean; status: number }> {
  const { request, socket, head, settings, target, headers } = options;
  return new Promise((resolve) => {
    const upstream = (settings.backendTls ? https : http).request({
      host,
      port,
      method: request.method,
      path: target,
      headers: [...headers, 'Connection', 'upgrade', 'Upgrade', request.headers.upgrade ?? ''],
      agent: false,
      setHost: false,
      rejectUnauthorized: false,
      timeout: settings.connectTimeoutMs,
    });
    let sent = false;
    const onClientGone = (): void => void upstream.destroy();
    socket.once('close', onClientGone);
    upstream.on('socket', (connection) => {
      connection.once('connect', () => {
        sent = true;
        connection.setTimeout(settings.readTimeoutMs);
      });
    });
    upstream.on('timeout', () => upstream.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' })));
    upstream.on('error', (error: NodeJS.ErrnoException) => {
      socket.off('close', onClientGone);
      resolve({ sent, status: error.code === 'ETIMEDOUT' ? 504 : 502 });
    });
    upstream.on('response', (response) => {
      const fields = responseHeaders(response.rawHeaders);
      socket.write(
        rawHead(response.statusCode ?? 502, response.statusMessage ?? '', [...fields, 'Connection', 'close']),
      );
      response.pipe(socket);
      resolve(response.statusCode ?? 502);
    });
    upstream.on('upgrade', (response, connection, upstreamHead) => {
      const fields = responseHeaders(response.rawHeaders);
      socket.write(
        rawHead(101, 'Switching Protocols', [
          ...fields,
          'Connection',
          'upgrade',
          'Upgrade',
          response.headers.upgrade ?? '',
        ]),
      );
      if (upstreamHead.length > 0) socket.write(upstreamHead);
      if (head.length > 0) connection.write(head);
      join(socket, connection, settings.readTimeoutMs);
      resolve(101);
    });
    upstream.end();
  });
}

/** Both directions; either end, error or silence beyond the read timeout ends both. */
function join(client: Duplex, upstream: import('node:net').Socket, silenceMs: number): void {
  upstream.setTimeout(silenceMs, () => upstream.destroy());
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.pipe(other);
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
}

function rawHead(status: number, message: string, fields: readonly string[]): string {
  let text = `HTTP/1.1 ${status} ${message}\r\n`;
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return `${text}\r\n`;
}
