/** Throw it from a handler to park the message at once: trying again cannot help. */
export class NonRetryableError extends Error {
  override readonly name: string = 'NonRetryableError';
  /** Stable word shown in the parking lot; lower case with dashes. */
  readonly code: string;

  constructor(message: string, options: { code?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = options.code ?? 'non-retryable';
  }
}

/** Throw it to say what any other error says too: try again later, within the retry budget. */
export class RetryableError extends Error {
  override readonly name = 'RetryableError';
}

/** Throw it when the dependency said when to come back: delayed that long, without using up an attempt. */
export class ThrottledError extends Error {
  override readonly name = 'ThrottledError';
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number, options: { cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.retryAfterMs = retryAfterMs;
  }
}
