/** One kind of problem: what a client may rely on. */
export interface ProblemKind {
  readonly status: number;
  /** Short, the same for every occurrence (RFC 9457 section 3.1.3). */
  readonly title: string;
}

/** Problems by code; `type` of a problem is PROBLEM_BASE plus the code. */
export type ProblemTable = Readonly<Record<string, ProblemKind>>;

/** The problems that every service can answer. docs/problems has a page for each (contract-check compares both ways). */
export const generalProblems = {
  'malformed-request': { status: 400, title: 'The request is not valid HTTP' },
  'malformed-json': { status: 400, title: 'The body is not valid JSON' },
  'idempotency-key-missing': { status: 400, title: 'The header Idempotency-Key is needed' },
  unauthenticated: { status: 401, title: 'A valid token is needed' },
  'scope-missing': { status: 403, title: 'The token lacks a scope' },
  'not-found': { status: 404, title: 'There is no such thing' },
  'no-such-path': { status: 404, title: 'There is no such path' },
  'method-not-allowed': { status: 405, title: 'This path does not know that method' },
  'request-timeout': { status: 408, title: 'The request did not arrive in time' },
  conflict: { status: 409, title: 'It contradicts the present state' },
  'idempotency-key-in-progress': { status: 409, title: 'The first request with this Idempotency-Key is still at work' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'uri-too-long': { status: 414, title: 'The address is too long' },
  'unsupported-media-type': { status: 415, title: 'The body has a media type that is not understood here' },
  'invalid-request': { status: 422, title: 'The request breaks the contract' },
  'idempotency-key-reused': { status: 422, title: 'The Idempotency-Key was used for another request' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  overloaded: { status: 429, title: 'The service has too much to do; try again in a moment' },
  unavailable: { status: 503, title: 'A part that the service needs is away' },
  'timed-out': { status: 503, title: 'The service did not finish in time' },
} as const satisfies ProblemTable;

export type GeneralProblemCode = keyof typeof generalProblems;
