import { CallerError } from '@keelson/service-kit';

/** Opaque to the client, so that what pages are cut by may change. */
export const cursorOf = (key: string): string => Buffer.from(key).toString('base64url');

/** The key that a cursor stands for. Throws CallerError invalid-request where it is none that `pattern` allows. */
export function keyOf(cursor: string | undefined, pattern: RegExp): string | undefined {
  if (cursor === undefined) return undefined;
  const key = Buffer.from(cursor, 'base64url').toString();
  if (pattern.test(key)) return key;
  throw new CallerError('invalid-request', {
    detail: 'The cursor is not one that this list gave; take `next` of the page before, or none for the first page.',
    errors: [{ pointer: 'query/cursor', detail: 'is not a cursor of this list' }],
  });
}
