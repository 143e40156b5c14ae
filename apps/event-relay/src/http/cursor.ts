import { CallerError } from '@keelson/service-kit';

/** Keys of our lists: sequences of the journal, ids of dead letters and gaps. */
export const SEQUENCE = /^\d{1,15}$/;
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Opaque to the caller, so that what it stands for may change: base64url of the last row's key. */
export const encodeCursor = (key: string | number): string => Buffer.from(String(key)).toString('base64url');

/** The key in a cursor; refuses what does not look like one of ours. */
export function decodeCursor(cursor: string | undefined, form: RegExp): string | undefined {
  if (cursor === undefined) return undefined;
  const key = Buffer.from(cursor, 'base64url').toString();
  if (form.test(key)) return key;
  throw new CallerError('invalid-request', {
    detail: 'the cursor is not one that this list gave',
    errors: [{ pointer: 'query/cursor', detail: 'take `next` of the previous page as it is' }],
  });
}
