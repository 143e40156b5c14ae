import { CallerError } from '@keelson/service-kit';

/** An opaque cursor: what kind of list it belongs to, and where the next page begins. */
export function encodeCursor(kind: string, position: string): string {
  return Buffer.from(`${kind}:${position}`, 'utf8').toString('base64url');
}

/** The position in a cursor of this kind. Throws CallerError `invalid-request` for what this service never gave out. */
export function decodeCursor(kind: string, cursor: string | undefined, shape: RegExp): string | undefined {
  if (cursor === undefined) return undefined;
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const position = text.startsWith(`${kind}:`) ? text.slice(kind.length + 1) : '';
  if (shape.test(position)) return position;
  throw new CallerError('invalid-request', {
    detail: 'query/cursor is not one of this list; leave it out to begin with the first page',
    errors: [{ pointer: 'query/cursor', detail: 'is not a cursor that this list gave out' }],
  });
}

/** Cuts one row more than asked for into a page with the cursor of the next. */
export function cutPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  kind: string,
  position: (row: Row) => string,
  show: (row: Row) => Item,
): { items: Item[]; next?: string } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const items = shown.map(show);
  return rows.length > limit && last !== undefined ? { items, next: encodeCursor(kind, position(last)) } : { items };
}

export const uuidShape = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
