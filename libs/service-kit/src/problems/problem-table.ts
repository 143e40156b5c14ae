/** One kind of problem: what a client may rely on. */
export interface ProblemKind {
  readonly status: number;
  /** Short, the same for every occurrence (RFC 9457 section 3.1.3). */
  readonly title: string;
}

export type ProblemTable = Readonly<Record<string, ProblemKind>>;

/**
 * Every problem that a Keelson service answers, by code; `type` is PROBLEM_BASE plus the code, and docs/problems has a
 * page for each (a test compares the two both ways). Services add their own with {@link registerProblems}.
 */
export const generalProblems = {
  'malformed-request': { status: 400, title: 'The request is not valid HTTP' },
  'malformed-json': { status: 400, title: 'The body is not valid JSON' },
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
  'idempotency-key-missing': { status: 400, title: 'The header Idempotency-Key is needed' },
  'idempotency-key-reused': { status: 422, title: 'The Idempotency-Key was used for another request' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  overloaded: { status: 503, title: 'The service has too much to do' },
  unavailable: { status: 503, title: 'A part that the service needs is away' },
  'timed-out': { status: 503, title: 'The service did not finish in time' },
} as const satisfies ProblemTable;

type KnownCode = keyof typeof generalProblems;
/** A code of the general table, or one that a service registered. */
export type ProblemCode = KnownCode | (string & Record<never, never>);

const registered = new Map<string, ProblemKind>(Object.entries(generalProblems));

/**
 * Adds problems of a service to the table. Adding the same one again changes nothing.
 *
 * @throws Error where a code already means something else.
 */
export function registerProblems(problems: ProblemTable): void {
  for (const [code, kind] of Object.entries(problems)) {
    const present = registered.get(code);
    if (present !== undefined && (present.status !== kind.status || present.title !== kind.title)) {
      throw new Error(
        `problem "${code}" is registered as ${present.status} "${present.title}" already; give ${kind.status} "${kind.title}" another code`,
      );
    }
    registered.set(code, kind);
  }
}

export const problemKind = (code: string): ProblemKind | undefined => registered.get(code);
export const registeredProblems = (): ReadonlyMap<string, ProblemKind> => registered;
