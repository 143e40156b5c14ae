import type { Problem } from '@keelson/contracts';
import { problemKind, type ProblemCode } from './problem-table.ts';

export interface CallerErrorOptions {
  /** What is wrong with this very request and how to get out of it; the caller sees it. */
  readonly detail?: string;
  /** Each fault with its JSON pointer. */
  readonly errors?: Problem['errors'];
  /** Sent as Retry-After. */
  readonly retryAfterSeconds?: number;
  /** Further response headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For the log only. */
  readonly cause?: unknown;
}

/**
 * The caller's fault (or a state it must know of): has a code of the problem table and a text for the caller. Anything
 * else that is thrown is ours: the caller gets 500 and the trace id, the log gets the cause.
 */
export class CallerError extends Error {
  override readonly name = 'CallerError';
  readonly code: ProblemCode;
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  readonly errors: Problem['errors'];
  readonly retryAfterSeconds: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, options: CallerErrorOptions = {}) {
    const kind = problemKind(code);
    if (kind === undefined) throw new Error(`problem "${code}" is in no table; add it with registerProblems first`);
    super(options.detail ?? kind.title, { cause: options.cause });
    this.code = code;
    this.status = kind.status;
    this.title = kind.title;
    this.detail = options.detail;
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.headers = options.headers ?? {};
  }
}
