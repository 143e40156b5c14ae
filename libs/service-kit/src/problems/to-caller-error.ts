import { CallerError } from './caller-error.ts';

interface FrameworkError {
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly message?: unknown;
  /** Nest's HttpException; told by its shape, so that a server without Nest does not load it. */
  readonly getStatus?: () => unknown;
}

/**
 * What the caller gets to see of something that was thrown: its own faults as they are, the framework's refusals in our
 * terms, anything else as `internal` without a word of its message.
 */
export function toCallerError(thrown: unknown, request: { bodyLimitBytes: number }): CallerError {
  if (thrown instanceof CallerError) return thrown;
  const { code, statusCode, getStatus } = (
    typeof thrown === 'object' && thrown !== null ? thrown : {}
  ) as FrameworkError;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new CallerError('body-too-large', { detail: `At most ${request.bodyLimitBytes} bytes are allowed.` });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new CallerError('unsupported-media-type', { detail: 'Send the media type that /docs names.' });
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new CallerError('malformed-request', { detail: 'The body is not as long as Content-Length says.' });
    case 'FST_ERR_BAD_URL':
      return new CallerError('malformed-request', { detail: 'The path is not valid percent-encoded UTF-8.' });
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new CallerError('uri-too-long', { detail: 'A part of the path is longer than 512 characters.' });
    default:
  }
  const status = typeof getStatus === 'function' ? getStatus.call(thrown) : statusCode;
  if (status === 404) return new CallerError('not-found');
  if (status === 400) return new CallerError('malformed-request');
  if (status === 503) return new CallerError('unavailable', { retryAfterSeconds: 1, cause: thrown });
  return new CallerError('internal', {
    detail: 'The trace id finds the cause in the logs of the service.',
    cause: thrown,
  });
}
