import type { Problem } from '../http/problem.ts';

/** A service answered with a problem (RFC 9457). `problem.code` is what to switch on. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;
  /** What Retry-After asked for, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** `POST http://.../v1/orders`. */
  readonly operation: string;

  constructor(problem: Problem, options: { operation: string; retryAfterMs?: number }) {
    const faults = problem.errors?.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ');
    super([problem.title, problem.detail, faults].filter((part) => part !== undefined && part !== '').join(': '));
    this.problem = problem;
    this.retryAfterMs = options.retryAfterMs;
    this.operation = options.operation;
  }

  get code(): string {
    return this.problem.code;
  }

  get status(): number {
    return this.problem.status;
  }
}

/** No answer came: refused, reset, unresolvable, or not within the time. Whether it took effect is not known. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  readonly operation: string;

  constructor(operation: string, why: string, cause: unknown) {
    super(`${operation}: ${why}`, { cause });
    this.operation = operation;
  }
}

/** An answer came that the contract does not know: another version, or not a Keelson service at all. */
export class ContractError extends Error {
  override readonly name = 'ContractError';
  readonly operation: string;

  constructor(operation: string, why: string, cause?: unknown) {
    super(`${operation} answered outside of its contract: ${why}`, { cause });
    this.operation = operation;
  }
}
