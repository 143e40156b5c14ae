/** The server could not be reached in the time allowed. `cause` is the last refusal. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';
}

/** The server answered, but refuses us: wrong password, unknown role or database. Waiting would not help. */
export class DatabaseAccessError extends Error {
  override readonly name = 'DatabaseAccessError';
}

/** The database holds a breaking migration that this program does not know. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';
}

/** SQLSTATE of an error from the server, looked up through wrappers; undefined for anything else. */
export function sqlState(error: unknown): string | undefined {
  for (const { code } of chain(error)) {
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E')) return code;
  }
  return undefined;
}

// 28: invalid authorisation; 3D000: no such database. PostgreSQL manual, appendix A.
const refusals = new Set(['28000', '28P01', '3D000', '42501']);

/** True when the server refuses this role or database for good. */
export const isAccessRefusal = (error: unknown): boolean => refusals.has(sqlState(error) ?? '');

/** True when the same transaction may succeed if it is simply run again: serialisation failure or deadlock. */
export const isTransient = (error: unknown): boolean => ['40001', '40P01'].includes(sqlState(error) ?? '');

// 08: connection exception; 57P01-57P03: shutting down, crashed, starting up; 53300: too many connections.
const lostStates = /^(08...|57P0[123]|53300)$/;
const lostCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
]);
const lostMessages =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout/;

/** True when the connection is gone rather than the statement wrong: try again once the server is back. */
export function isConnectionLoss(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return lostStates.test(state);
  return chain(error).some(
    ({ code, message, errors }) =>
      (typeof code === 'string' && lostCodes.has(code)) ||
      (typeof message === 'string' && lostMessages.test(message)) ||
      (Array.isArray(errors) && errors.some(isConnectionLoss)),
  );
}

interface Link {
  readonly code?: unknown;
  readonly message?: unknown;
  /** Of an AggregateError: one for each address that was tried. */
  readonly errors?: unknown;
}

/** The error and what it wraps (TypeORM's driverError, ES2022's cause), at most five deep. */
function chain(error: unknown): Link[] {
  const links: Link[] = [];
  for (let current = error; typeof current === 'object' && current !== null && links.length < 5;) {
    links.push(current);
    const { driverError, cause } = current as { driverError?: unknown; cause?: unknown };
    current = driverError ?? cause;
  }
  return links;
}
