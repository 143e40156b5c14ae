import { PROBLEM_BASE, type Problem } from '@keelson/contracts';
import { trace } from '@opentelemetry/api';
import { NonRetryableError, ThrottledError } from '../consume/failure.ts';

/** Throw it from a responder to answer with this problem (RFC 9457) instead of a reply. */
export class RequestProblem extends Error {
  override readonly name = 'RequestProblem';
  readonly problem: Problem;

  constructor(problem: { code: string; status?: number; title: string; detail?: string }) {
    super(problem.detail === undefined ? problem.title : `${problem.title}: ${problem.detail}`);
    this.problem = { type: `${PROBLEM_BASE}${problem.code}`, status: 422, ...problem };
  }
}

/** What the caller may see of a failure: all of what was meant for them, and of a fault of ours only where to look. */
export function problemOf(error: unknown): Problem {
  if (error instanceof RequestProblem) return error.problem;
  if (error instanceof NonRetryableError) return problem(error.code, 422, 'The request was refused', error.message);
  if (error instanceof ThrottledError)
    return problem('too-many-requests', 429, 'Too many requests', `Try again in ${error.retryAfterMs} ms`);
  return problem('internal', 500, 'The server failed to answer');
}

export function problem(code: string, status: number, title: string, detail?: string): Problem {
  const traceId = trace.getActiveSpan()?.spanContext().traceId;
  return {
    type: `${PROBLEM_BASE}${code}`,
    title,
    status,
    code,
    ...(detail !== undefined && { detail }),
    ...(traceId !== undefined && { traceId }),
  };
}
