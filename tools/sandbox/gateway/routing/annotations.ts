import { noCanary, type CanaryPolicy } from '../canary/policy.ts';

const PREFIX = 'nginx.ingress.kubernetes.io/';

/** What the annotations of an Ingress say, with ingress-nginx's defaults. Times in milliseconds, sizes in bytes. */
export type Settings = {
  canary: CanaryPolicy | undefined;
  sslRedirect: boolean;
  forceSslRedirect: boolean;
  /** 0: no limit. */
  bodyLimit: number;
  connectTimeoutMs: number;
  sendTimeoutMs: number;
  readTimeoutMs: number;
  backendTls: boolean;
  /** When a request is passed to another endpoint. */
  nextUpstream: ReadonlySet<string>;
  tries: number;
};

export const defaultSettings: Settings = {
  canary: undefined,
  sslRedirect: true,
  forceSslRedirect: false,
  bodyLimit: 1024 * 1024,
  connectTimeoutMs: 5000,
  sendTimeoutMs: 60_000,
  readTimeoutMs: 60_000,
  backendTls: false,
  nextUpstream: new Set(['error', 'timeout']),
  tries: 3,
};

const NEXT_UPSTREAM = [
  'error',
  'timeout',
  'http_500',
  'http_502',
  'http_503',
  'http_504',
  'http_429',
  'non_idempotent',
  'off',
];

type Reader = (value: string, settings: Settings) => Settings;

/** Every annotation the gateway honours. Each reader throws an Error that says what is allowed. */
const readers: Record<string, Reader> = {
  canary: (v, s) => (boolean(v) ? { ...s, canary: s.canary ?? noCanary } : s),
  'canary-by-header': (v, s) => ({ ...s, canary: { ...(s.canary ?? noCanary), header: v } }),
  'canary-by-header-value': (v, s) => ({ ...s, canary: { ...(s.canary ?? noCanary), headerValue: v } }),
  'canary-by-header-pattern': (v, s) => ({ ...s, canary: { ...(s.canary ?? noCanary), headerPattern: pattern(v) } }),
  'canary-by-cookie': (v, s) => ({ ...s, canary: { ...(s.canary ?? noCanary), cookie: v } }),
  'canary-weight': (v, s) => ({ ...s, canary: { ...(s.canary ?? noCanary), weight: whole(v) } }),
  'canary-weight-total': (v, s) => ({ ...s, canary: { ...(s.canary ?? noCanary), weightTotal: whole(v) } }),
  'ssl-redirect': (v, s) => ({ ...s, sslRedirect: boolean(v) }),
  'force-ssl-redirect': (v, s) => ({ ...s, forceSslRedirect: boolean(v) }),
  'proxy-body-size': (v, s) => ({ ...s, bodyLimit: size(v) }),
  'proxy-connect-timeout': (v, s) => ({ ...s, connectTimeoutMs: seconds(v) }),
  'proxy-send-timeout': (v, s) => ({ ...s, sendTimeoutMs: seconds(v) }),
  'proxy-read-timeout': (v, s) => ({ ...s, readTimeoutMs: seconds(v) }),
  'backend-protocol': (v, s) => ({ ...s, backendTls: oneOf(v.toUpperCase(), ['HTTP', 'HTTPS']) === 'HTTPS' }),
  'proxy-next-upstream': (v, s) => ({
    ...s,
    nextUpstream: new Set(v.split(/\s+/).map((word) => oneOf(word, NEXT_UPSTREAM))),
  }),
  'proxy-next-upstream-tries': (v, s) => ({ ...s, tries: whole(v) }),
};

/** Their names, without the prefix. */
export const honoured: readonly string[] = Object.keys(readers);

/** These change nothing here because the gateway does it anyway. */
const implied = new Set(['proxy-buffering', 'proxy-request-buffering', 'proxy-http-version', 'service-upstream']);

/**
 * Reads the annotations of one Ingress. What cannot be honoured is told as a fault, with the way out, and left at its
 * default; the rest of the Ingress works.
 */
export function readAnnotations(annotations: Record<string, string> = {}): { settings: Settings; faults: string[] } {
  let settings = defaultSettings;
  const faults: string[] = [];
  for (const [name, value] of Object.entries(annotations)) {
    if (!name.startsWith(PREFIX)) continue;
    const key = name.slice(PREFIX.length);
    const reader = readers[key];
    if (reader === undefined) {
      if (!implied.has(key)) faults.push(`${name} is not supported by the sandbox's gateway and has no effect`);
      continue;
    }
    try {
      settings = reader(value, settings);
    } catch (error) {
      faults.push(`${name} is "${value}"; ${(error as Error).message}`);
    }
  }
  // Without `canary: "true"` the other canary annotations mean nothing.
  if (annotations[`${PREFIX}canary`] !== 'true') settings = { ...settings, canary: undefined };
  return { settings, faults };
}

function boolean(value: string): boolean {
  if (value !== 'true' && value !== 'false') throw new Error('allowed are "true" and "false"');
  return value === 'true';
}

function whole(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new Error('allowed is a whole number from 0');
  return Number(value);
}

function seconds(value: string): number {
  const match = /^(\d{1,6})s?$/.exec(value);
  if (match === null || Number(match[1]) === 0) throw new Error('allowed are seconds, a whole number from 1');
  return Number(match[1]) * 1000;
}

function size(value: string): number {
  const match = /^(\d+)([kmg]?)b?$/i.exec(value);
  if (match === null) throw new Error('allowed is a number of bytes, with k, m or g after it; 0 is no limit');
  const factor = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[match[2]?.toLowerCase() ?? ''] ?? 1;
  return Number(match[1]) * factor;
}

function pattern(value: string): RegExp {
  try {
    return new RegExp(value);
  } catch (error) {
    throw new Error(`it is no regular expression: ${(error as Error).message}`, { cause: error });
  }
}

function oneOf(value: string, allowed: readonly string[]): string {
  if (!allowed.includes(value)) throw new Error(`allowed are ${allowed.join(', ')}`);
  return value;
}
