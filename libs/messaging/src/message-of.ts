/** What an error says, in a line; Node's own for several refused addresses has a code and no message. */
export function messageOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { message, code, name } = error as { message?: string; code?: unknown; name?: string };
  return message || (typeof code === 'string' ? code : undefined) || name || 'unknown error';
}
