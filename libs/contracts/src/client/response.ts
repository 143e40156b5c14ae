import type { Endpoint } from '../http/endpoint.ts';
import { PROBLEM_BASE, problemSchema, type Problem } from '../http/problem.ts';
import { ContractError, ProblemError } from './errors.ts';
import { liveEvents } from './live.ts';

/**
 * Reads an answer.
 *
 * @throws ProblemError for every status from 400 on, ContractError where the answer is none of the contract's.
 */
export async function readResponse(endpoint: Endpoint, operation: string, response: Response): Promise<unknown> {
  if (response.status >= 400) throw await problemFrom(operation, response);
  if (response.status !== endpoint.status) {
    throw new ContractError(operation, `status ${response.status} instead of ${endpoint.status}`);
  }
  if (endpoint.responseType === 'text/event-stream') return liveEvents(response);
  if (endpoint.response === undefined) {
    return endpoint.responseType === undefined ? undefined : new Uint8Array(await response.arrayBuffer());
  }
  const parsed = endpoint.response.safeParse(await jsonOf(operation, response));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `/${issue.path.join('/')} ${issue.message}`);
  throw new ContractError(operation, faults.join('; '), parsed.error);
}

async function jsonOf(operation: string, response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ContractError(operation, `not JSON: ${text.slice(0, 100)}`, error);
  }
}

async function problemFrom(operation: string, response: Response): Promise<ProblemError> {
  const text = await response.text();
  const retryAfterMs = retryAfter(response.headers.get('retry-after'));
  let parsed: ReturnType<typeof problemSchema.safeParse> | undefined;
  try {
    parsed = problemSchema.safeParse(JSON.parse(text));
  } catch {
    parsed = undefined; // a proxy's own page: told as such below
  }
  const problem: Problem = parsed?.success
    ? parsed.data
    : {
        type: `${PROBLEM_BASE}unknown`,
        code: 'unknown',
        status: response.status,
        title: `The answer was ${response.status} ${response.statusText}`.trim(),
        ...(text === '' ? {} : { detail: text.slice(0, 200) }),
      };
  return new ProblemError(problem, { operation, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}

/** RFC 9110 section 10.2.3: seconds or a date. */
function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const milliseconds = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds);
}
