import type { Status } from './wire.ts';

export type Cause = { reason: string; message: string; field: string };

/** The API server answered, and the answer was no. */
export class KubernetesError extends Error {
  override readonly name = 'KubernetesError';
  /** HTTP status; for an ERROR inside a watch the status that it carries. */
  readonly status: number;
  /** Status.reason: `NotFound`, `Conflict`, `AlreadyExists`, `Expired`, `Invalid`, ... */
  readonly reason: string;
  /** One per field at fault, or per conflicting field manager. */
  readonly causes: Cause[];
  /** From the Retry-After header or the body, whichever is longer. */
  readonly retryAfterSeconds: number | undefined;
  /** Of a 410 during a paged list: goes on from a newer state, no longer consistent with the pages before. */
  readonly continue: string | undefined;

  constructor(
    status: number,
    body: Status,
    context: { request?: string; retryAfterSeconds?: number | undefined; continue?: string | undefined } = {},
  ) {
    const said = body.message ?? body.reason ?? `HTTP ${status}`;
    super(context.request === undefined ? said : `${context.request}: ${said}`);
    this.status = status;
    this.reason = body.reason ?? reasonOf(status);
    this.causes = (body.details?.causes ?? []).map((cause) => ({
      reason: cause.reason ?? '',
      message: cause.message ?? '',
      field: cause.field ?? '',
    }));
    const waits = [context.retryAfterSeconds, body.details?.retryAfterSeconds].filter((wait) => wait !== undefined);
    this.retryAfterSeconds = waits.length === 0 ? undefined : Math.max(...waits);
    this.continue = context.continue;
  }
}

/** No answer, or half of one: refused, reset, timed out, broken TLS. `cause` has the socket's own error. */
export class KubernetesUnreachableError extends Error {
  override readonly name = 'KubernetesUnreachableError';
  /** The socket's error code (`ECONNREFUSED`, ...), `TIMEOUT`, or `BROKEN`. */
  readonly code: string;

  constructor(message: string, code: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

const reasons: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Expired',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

function reasonOf(status: number): string {
  return reasons[status] ?? 'Unknown';
}

export const isNotFound = (error: unknown): error is KubernetesError => has(error, 404);
export const isGone = (error: unknown): error is KubernetesError => has(error, 410);
/** A write that lost against another one, or (`AlreadyExists`) against an earlier create. */
export const isConflict = (error: unknown): error is KubernetesError => has(error, 409);
export const isAlreadyExists = (error: unknown): error is KubernetesError =>
  has(error, 409) && error.reason === 'AlreadyExists';

function has(error: unknown, status: number): error is KubernetesError {
  return error instanceof KubernetesError && error.status === status;
}
