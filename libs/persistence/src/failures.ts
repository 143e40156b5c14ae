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
  for (let current = error, depth = 0; current instanceof Error && depth < 5; depth += 1) {
    const code: unknown = (current as { code?: unknown }).code;
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E')) return code;
    current = (current as { driverError?: unknown }).driverError ?? current.cause;
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
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/;

/** True when the connection is gone rather than the statement wrong: try again once the server is back. */
export function isConnectionLoss(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return lostStates.test(state);
  for (let current = error, depth = 0; current instanceof Error && depth < 5; depth += 1) {
    const code: unknown = (current as { code?: unknown }).code;
    if (typeof code === 'string' && lostCodes.has(code)) return true;
    if (lostMessages.test(current.message)) return true;
    if (current instanceof AggregateError && current.errors.some(isConnectionLoss)) return true;
    current = (current as { driverError?: unknown }).driverError ?? current.cause;
  }
  return false;
}
