import type { IncomingMessage } from 'node:http';

/** Hop by hop: RFC 9110 7.6.1, and Keep-Alive, Proxy-Connection, which are older. Never passed on. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Written by the gateway itself: what a client says here is not to be trusted. */
const OWN = new Set([
  'host',
  // Answered by Node's server already; the body follows.
  'expect',
  'content-length',
  'x-request-id',
  'x-real-ip',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-scheme',
  'x-scheme',
  'x-original-forwarded-for',
]);

export type ForwardedFrom = {
  clientAddress: string;
  host: string;
  port: number;
  scheme: 'http' | 'https';
  requestId: string;
};

/**
 * The headers for the pod, as a flat list: the client's own (traceparent among them) without hop-by-hop ones and those
 * that its Connection header names, and ingress-nginx's X-Forwarded-*, X-Real-IP, X-Request-ID.
 */
export function upstreamHeaders(rawHeaders: readonly string[], from: ForwardedFrom): string[] {
  const dropped = connectionTokens(rawHeaders);
  const out = ['host', from.host];
  let forwardedFor: string | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || dropped?.has(lower) === true) continue;
    if (OWN.has(lower)) {
      if (lower === 'x-forwarded-for') forwardedFor = rawHeaders[i + 1];
      continue;
    }
    out.push(name, rawHeaders[i + 1] ?? '');
  }
  out.push(
    'X-Request-ID',
    from.requestId,
    'X-Real-IP',
    from.clientAddress,
    'X-Forwarded-For',
    from.clientAddress,
    'X-Forwarded-Host',
    from.host,
    'X-Forwarded-Port',
    String(from.port),
    'X-Forwarded-Proto',
    from.scheme,
    'X-Forwarded-Scheme',
    from.scheme,
    'X-Scheme',
    from.scheme,
  );
  if (forwardedFor !== undefined) out.push('X-Original-Forwarded-For', forwardedFor);
  return out;
}

/** The pod's headers for the client, without hop-by-hop ones. Bytes are latin1, as HTTP/1.1 has them. */
export function responseHeaders(rawHeaders: readonly (Buffer | string)[]): string[] {
  const all = rawHeaders.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
  const dropped = connectionTokens(all);
  const out: string[] = [];
  for (let i = 0; i < all.length; i += 2) {
    const name = all[i] ?? '';
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || dropped?.has(lower) === true) continue;
    out.push(name, all[i + 1] ?? '');
  }
  return out;
}

/** Headers that a Connection header makes hop-by-hop. */
function connectionTokens(rawHeaders: readonly string[]): Set<string> | undefined {
  let tokens: Set<string> | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.length !== 10 || rawHeaders[i]?.toLowerCase() !== 'connection') continue;
    tokens ??= new Set();
    for (const token of (rawHeaders[i + 1] ?? '').split(',')) tokens.add(token.trim().toLowerCase());
  }
  return tokens;
}

/** Host name of a request, lower-case and without port; from an absolute target first (RFC 9112 3.2.2). */
export function hostOf(request: Pick<IncomingMessage, 'url' | 'headers'>): {
  name: string;
  header: string;
  target: string;
} {
  let header = request.headers.host ?? '';
  let target = request.url ?? '/';
  if (/^https?:\/\//i.test(target) && URL.canParse(target)) {
    const url = new URL(target);
    header = url.host;
    target = `${url.pathname}${url.search}`;
  }
  const name = header.startsWith('[') ? header.slice(0, header.indexOf(']') + 1) : header.replace(/:\d*$/, '');
  return { name: name.toLowerCase().replace(/\.$/, ''), header, target };
}
