import { NoAnswerError, ProblemError } from '@keelson/contracts';

/** Exit codes of every command. */
export const EXIT = { ok: 0, failedCheck: 1, usage: 2, notFound: 3, denied: 4, conflict: 5 } as const;

/** A command cannot go on; the message says why and what to do, the code tells scripts. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failedCheck) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The exit code for whatever a command threw: what the service answered decides. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Failure) return error.exitCode;
  if (error instanceof NoAnswerError) return EXIT.conflict; // nobody answered in time
  if (!(error instanceof ProblemError)) return EXIT.failedCheck;
  switch (error.status) {
    case 401:
    case 403:
      return EXIT.denied;
    case 404:
      return EXIT.notFound;
    case 400:
    case 422:
      return EXIT.usage;
    case 408:
    case 409:
    case 429:
    case 503:
    case 504:
      return EXIT.conflict;
    default:
      return EXIT.failedCheck;
  }
}

/** What goes to stderr: a problem object in JSON mode, words with the way out otherwise. */
export function describe(error: unknown, json: boolean): string {
  if (json && error instanceof ProblemError) return JSON.stringify(error.problem);
  if (json) return JSON.stringify({ title: error instanceof Error ? error.message : String(error) });
  const words = error instanceof Error ? error.message : String(error);
  const hint = hintFor(error);
  return `keelson: ${words}${hint === undefined ? '' : `\n${hint}`}`;
}

function hintFor(error: unknown): string | undefined {
  if (error instanceof ProblemError && error.status === 401) return 'set KEELSON_TOKEN to a token of this platform';
  if (error instanceof ProblemError && error.problem.traceId !== undefined && error.status >= 500) {
    return `look for traceId ${error.problem.traceId} in the logs of the service`;
  }
  if (error instanceof NoAnswerError) return 'is the service up, and is its URL right? `keelson status` shows both';
  return undefined;
}
