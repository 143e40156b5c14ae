/** What went wrong below HTTP, in words that name neither address nor port. */
const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'it refuses connections',
  ECONNRESET: 'it closed the connection',
  EHOSTUNREACH: 'its host cannot be reached',
  ENETUNREACH: 'its network cannot be reached',
  ENOTFOUND: 'its host name is unknown',
  EAI_AGAIN: 'its host name cannot be looked up now',
  EPIPE: 'it closed the connection',
  UND_ERR_SOCKET: 'it closed the connection',
  UND_ERR_CONNECT_TIMEOUT: 'it does not take connections in time',
  UND_ERR_HEADERS_OVERFLOW: 'its answer has too large headers',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed and not trusted here (NODE_EXTRA_CA_CERTS)',
  SELF_SIGNED_CERT_IN_CHAIN: 'its root certificate is not trusted here (NODE_EXTRA_CA_CERTS)',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its root certificate is not trusted here (NODE_EXTRA_CA_CERTS)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its root certificate is not trusted here (NODE_EXTRA_CA_CERTS)',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

/** Whether the time was up: ours (AbortSignal.timeout) or undici's. */
export const isTimeout = (error: unknown): boolean =>
  (error as Error | undefined)?.name === 'TimeoutError' ||
  ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'].includes(codeOf(error));

/** Why a service gave no answer, for the page: addresses are for the log alone. */
export function whyNoAnswer(error: unknown, limitMs: number): string {
  if (isTimeout(error)) return `it did not answer within ${limitMs / 1000} s`;
  const code = codeOf(error);
  return CAUSES[code] ?? (code === '' ? 'the connection failed' : `the connection failed (${code})`);
}

function codeOf(error: unknown): string {
  const { code, cause, errors } = (error ?? {}) as { code?: unknown; cause?: unknown; errors?: readonly unknown[] };
  if (typeof code === 'string') return code;
  // Both families of a name refused: an AggregateError, whose parts have the codes.
  const inner = errors?.[0] ?? cause;
  return inner === undefined ? '' : codeOf(inner);
}
