import type { Endpoint } from '../http/endpoint.ts';

/** The parts of a call, whatever the operation. */
export interface LooseInput {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `/v1/orders/{id}` with its parameters and the query; undefined query values are left out. */
export function urlFor(baseUrl: string, endpoint: Endpoint, { params = {}, query = {} }: LooseInput): string {
  const path = endpoint.path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined || value === '') throw new TypeError(`${endpoint.path} needs the parameter "${name}"`);
    return encodeURIComponent(textOf(value));
  });
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) search.append(name, textOf(value));
  }
  return `${baseUrl.replace(/\/+$/, '')}${path}${search.size === 0 ? '' : `?${search.toString()}`}`;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value instanceof Date ? value.toISOString() : JSON.stringify(value);
}

/** Method, headers and body of the call; the same for each attempt. */
export function requestFor(endpoint: Endpoint, input: LooseInput, token: string | undefined): RequestInit {
  const headers: Record<string, string> = {
    accept: `${endpoint.responseType ?? 'application/json'}, application/problem+json`,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(endpoint.idempotent === true ? { 'idempotency-key': input.idempotencyKey ?? randomKey() } : {}),
    ...input.headers,
  };
  if (input.body === undefined) return { method: endpoint.method, headers };
  const raw = typeof input.body === 'string' || input.body instanceof Uint8Array;
  headers['content-type'] ??= endpoint.bodyType ?? 'application/json';
  const body = raw && endpoint.bodyType !== undefined ? input.body : JSON.stringify(input.body);
  return { method: endpoint.method, headers, body: body as NonNullable<RequestInit['body']> };
}

/** A UUIDv4. Not crypto.randomUUID: browsers offer that on https and localhost only. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
