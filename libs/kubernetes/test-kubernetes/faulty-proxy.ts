import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ClusterAccess } from '@keelson/kubernetes';

/** What the proxy does to one request instead of passing it on unharmed. */
export type Fault =
  /** Answers itself; the API server never hears of it. */
  | { kind: 'answer'; status: number; headers?: Record<string, string>; body: object | string }
  /** Passes on so many lines of the stream, then nothing more, with the connection left open. */
  | { kind: 'freeze'; afterLines: number }
  /** Passes on so many lines and half of the next, then resets the connection. */
  | { kind: 'cut'; afterLines: number }
  /** Passes on so many lines, then one of its own, and ends. */
  | { kind: 'line'; afterLines: number; line: object }
  /** Ends the stream at once, politely. */
  | { kind: 'end' };

export type SeenRequest = { method: string; path: string; query: URLSearchParams; at: number };

export type FaultyProxy = {
  /** The same cluster and user, through the proxy. */
  access: ClusterAccess;
  /** Every request so far. */
  seen: SeenRequest[];
  /** Decides for each request; undefined passes it on. */
  fault: (request: SeenRequest) => Fault | undefined;
  close(): Promise<void>;
};

export const isWatch = (request: SeenRequest): boolean => request.query.get('watch') === 'true';

/** An HTTP proxy in front of an API server, on 127.0.0.1 (a free port unless told), that can be told to misbehave. */
export async function startFaultyProxy(access: ClusterAccess, wantedPort = 0): Promise<FaultyProxy> {
  const upstream = new URL(access.server);
  const proxy: FaultyProxy = {
    access,
    seen: [],
    fault: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', 'http://proxy');
    const seen: SeenRequest = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      at: performance.now(),
    };
    proxy.seen.push(seen);
    const fault = proxy.fault(seen);
    if (fault?.kind === 'answer') return answer(outgoing, fault);
    const send = upstream.protocol === 'https:' ? httpsRequest : httpRequest;
    const forwarded = send(
      new URL(incoming.url ?? '/', upstream),
      { method: incoming.method, headers: { ...incoming.headers, host: upstream.host }, ...access.tls(), agent: false },
      (response) => {
        outgoing.writeHead(response.statusCode ?? 502, response.headers);
        outgoing.flushHeaders();
        passOn(response, outgoing, fault);
      },
    );
    forwarded.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(wantedPort, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  proxy.access = { ...access, server: `http://127.0.0.1:${port}`, tls: () => ({}) };
  return proxy;
}

function answer(outgoing: ServerResponse, fault: Extract<Fault, { kind: 'answer' }>): void {
  outgoing.writeHead(fault.status, fault.headers);
  outgoing.end(typeof fault.body === 'string' ? fault.body : JSON.stringify(fault.body));
}

function passOn(
  response: IncomingMessage,
  outgoing: ServerResponse,
  fault: Exclude<Fault, { kind: 'answer' }> | undefined,
): void {
  response.on('error', () => outgoing.destroy());
  if (fault === undefined) return void response.pipe(outgoing);
  if (fault.kind === 'end') return void outgoing.end();
  const strike = (rest: string): void => {
    response.removeAllListeners('data');
    if (fault.kind === 'cut') outgoing.write(rest.slice(0, Math.max(1, rest.length / 2)), () => outgoing.destroy());
    else if (fault.kind === 'line') outgoing.end(`${JSON.stringify(fault.line)}\n`);
  };
  let lines = 0;
  if (fault.kind !== 'cut' && fault.afterLines === 0) return strike('');
  response.setEncoding('utf8').on('data', (chunk: string) => {
    for (const line of chunk.split(/(?<=\n)/)) {
      if (fault.kind === 'cut' && lines === fault.afterLines) return strike(line);
      outgoing.write(line);
      if (line.endsWith('\n')) lines++;
      if (fault.kind !== 'cut' && lines === fault.afterLines) return strike('');
    }
  });
}
