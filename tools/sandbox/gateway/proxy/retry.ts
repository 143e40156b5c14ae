import { errors } from 'undici';
import type { Settings } from '../routing/annotations.ts';

/** nginx's list: these may have done something already, so they are sent to one pod only. */
const NON_IDEMPOTENT = new Set(['POST', 'LOCK', 'PATCH']);

/** What became of an attempt before any byte of a response reached the client. */
export type Failure = {
  /** Bytes of the request may have reached the pod. */
  sent: boolean;
  cause: 'error' | 'timeout' | `http_${number}`;
};

/**
 * Whether a request may be passed to another endpoint, as nginx's proxy_next_upstream: what was never sent always; what
 * was sent only if its method allows (or the annotation says non_idempotent) and the cause is on the list.
 */
export function mayRetry(
  failure: Failure,
  request: { method: string; replayable: boolean },
  settings: Pick<Settings, 'nextUpstream'>,
): boolean {
  if (settings.nextUpstream.has('off')) return false;
  if (!failure.sent) return request.replayable;
  if (!request.replayable || !settings.nextUpstream.has(failure.cause)) return false;
  return !NON_IDEMPOTENT.has(request.method) || settings.nextUpstream.has('non_idempotent');
}

/** undici's errors in nginx's two words. */
export function causeOf(error: Error): 'error' | 'timeout' {
  return error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError
    ? 'timeout'
    : 'error';
}

/** 504 when the pod kept us waiting, else 502. */
export const statusOf = (cause: Failure['cause']): number => (cause === 'timeout' ? 504 : 502);
