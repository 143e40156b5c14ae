import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { selfSigned } from '../self-signed/self-signed.ts';
import type { LogLine, LogQuery } from './logs/line.ts';
import { render, select } from './logs/line.ts';
import { readLog } from './logs/container-log.ts';
import { FIRST_RANGE, LAST_RANGE, nodeAddress, rangesToTry } from './network/addresses.ts';
import type { PodRunner } from './pods/runner.ts';

/** The port of a kubelet, by which an API server reads logs. */
const KUBELET_PORT = 10250;

export type PodFinder = (namespace: string, name: string) => PodRunner | undefined;

/**
 * The node's address and its log port in one: who holds 127.R.0.1:10250 has the range 10.R.0.0/16, so the kernel sees
 * to it that no two nodes of this machine share one. Speaks TLS (a real API server insists) and plain HTTP.
 */
export class KubeletPort {
  readonly range: number;
  readonly port = KUBELET_PORT;
  readonly #listener: net.Server;
  readonly #http: http.Server;
  #find: PodFinder = () => undefined;

  private constructor(range: number, listener: net.Server, answering: http.Server) {
    this.range = range;
    this.#listener = listener;
    this.#http = answering;
  }

  static async claim(name: string, former: number | undefined, now: Date): Promise<KubeletPort> {
    for (const range of rangesToTry(name, former)) {
      const listener = net.createServer({ pauseOnConnect: true });
      if (!(await listen(listener, nodeAddress(range)))) continue;
      const { certificate, key } = selfSigned({ commonName: name, names: [name, nodeAddress(range)], days: 365, now });
      const plain = http.createServer();
      const secure = https.createServer({ cert: certificate, key });
      const port = new KubeletPort(range, listener, plain);
      for (const server of [plain, secure]) {
        server.on('request', (request, response) => {
          port.#answer(request, response);
        });
      }
      listener.on('connection', (socket) => {
        hand(socket, plain, secure);
      });
      return port;
    }
    throw new Error(
      `No range 10.R.0.0/16 with R from ${FIRST_RANGE} to ${LAST_RANGE} is free: every 127.R.0.1:${KUBELET_PORT} is taken. Stop another sandbox node.`,
    );
  }

  get address(): string {
    return (this.#listener.address() as AddressInfo).address;
  }

  serve(find: PodFinder): void {
    this.#find = find;
  }

  stop(): void {
    this.#listener.close();
    this.#http.closeAllConnections();
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://node');
    if (url.pathname === '/healthz') {
      response.end('ok');
      return;
    }
    const [, kind, namespace, pod, container] = url.pathname.split('/').map(decodeURIComponent);
    if (request.method !== 'GET' || kind !== 'containerLogs' || container === undefined) {
      refuse(
        response,
        404,
        `${request.method} ${url.pathname} is not served by the sandbox's node; only GET /containerLogs/NAMESPACE/POD/CONTAINER and /healthz are`,
      );
      return;
    }
    const runner = this.#find(namespace ?? '', pod ?? '');
    if (runner === undefined) {
      refuse(response, 404, `pod "${pod}" does not run on this node`);
      return;
    }
    sendLog(runner, container, url.searchParams, response);
  }
}

function sendLog(
  runner: PodRunner,
  container: string,
  parameters: URLSearchParams,
  response: http.ServerResponse,
): void {
  const previous = parameters.get('previous') === 'true';
  const found = runner.log(container, previous);
  if (found === undefined) {
    refuse(
      response,
      previous ? 400 : 404,
      `${previous ? 'previous terminated ' : ''}container "${container}" in pod "${runner.pod.metadata.name}" not found`,
    );
    return;
  }
  const query = logQuery(parameters);
  const follow = parameters.get('follow') === 'true' && found.run !== undefined;
  let sent = 0;
  const send = (line: LogLine): void => {
    const text = render(line, query);
    const room = query.limitBytes === undefined ? text.length : Math.max(0, query.limitBytes - sent);
    sent += text.length;
    if (room > 0) response.write(text.slice(0, room));
  };
  response.setHeader('content-type', 'text/plain');
  response.flushHeaders();
  const early: LogLine[] = [];
  let caughtUp = false;
  let over = false;
  const { lines, stop } =
    found.run === undefined
      ? { lines: readLog(found.file), stop: () => undefined }
      : found.run.log.read(
          follow
            ? {
                onLine: (line) => (caughtUp ? send(line) : early.push(line)),
                onEnd: () => {
                  over = true;
                  if (caughtUp) response.end();
                },
              }
            : undefined,
        );
  for (const line of select(lines, query)) send(line);
  for (const line of early) send(line);
  caughtUp = true;
  if (!follow || over) response.end();
  else response.on('close', stop);
}

function logQuery(parameters: URLSearchParams): LogQuery {
  const number = (name: string): number | undefined => {
    const value = parameters.get(name);
    return value === null || !/^\d+$/.test(value) ? undefined : Number(value);
  };
  const sinceSeconds = number('sinceSeconds');
  const sinceTime = parameters.get('sinceTime');
  const tailLines = number('tailLines');
  const limitBytes = number('limitBytes');
  const since =
    sinceTime === null
      ? sinceSeconds === undefined
        ? undefined
        : Date.now() - sinceSeconds * 1000
      : Date.parse(sinceTime);
  return {
    timestamps: parameters.get('timestamps') === 'true',
    ...(since !== undefined && { sinceTime: since }),
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
  };
}

function refuse(response: http.ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' });
  response.end(`${text}\n`);
}

/** A TLS client's first byte is 0x16 (handshake); anything else is plain HTTP. */
function hand(socket: net.Socket, plain: http.Server, secure: https.Server): void {
  socket.on('error', () => {
    // The client went away; there is nobody to tell.
  });
  socket.once('readable', () => {
    const first = socket.read(1) as Buffer | null;
    if (first === null) {
      socket.destroy();
      return;
    }
    socket.unshift(first);
    (first[0] === 0x16 ? secure : plain).emit('connection', socket);
  });
}

function listen(server: net.Server, host: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen({ host, port: KUBELET_PORT }, () => {
      resolve(true);
    });
  });
}
