/** Rows of a list that is read page by page, newest first. */
export interface Rows<Item> {
  readonly items: readonly Item[];
  /** Cursor of what comes after them; undefined where there is no more. */
  readonly next: string | undefined;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: string | undefined;
}

/**
 * The rows with the first page read anew. Known rows are replaced, new ones come in front; where the fresh page does not
 * reach the known rows, something lies between them, so only the fresh page is kept rather than a list with a hole.
 */
export function withFreshFirstPage<Item>(
  known: Rows<Item>,
  fresh: Page<Item>,
  idOf: (item: Item) => string,
): Rows<Item> {
  const freshIds = new Set(fresh.items.map(idOf));
  const rest = known.items.filter((item) => !freshIds.has(idOf(item)));
  const overlaps = rest.length < known.items.length;
  if (!overlaps || fresh.next === undefined) return { items: fresh.items, next: fresh.next };
  // Rows that the fresh page would have to show but does not are gone: those before its last known row.
  const last = known.items.findLastIndex((item) => freshIds.has(idOf(item)));
  const older = known.items.slice(last + 1);
  return older.length === 0
    ? { items: fresh.items, next: fresh.next }
    : { items: [...fresh.items, ...older], next: known.next };
}

/** The rows with one more page at their end; a row that moved onto it meanwhile is not shown twice. */
export function withNextPage<Item>(known: Rows<Item>, page: Page<Item>, idOf: (item: Item) => string): Rows<Item> {
  const ids = new Set(known.items.map(idOf));
  return { items: [...known.items, ...page.items.filter((item) => !ids.has(idOf(item)))], next: page.next };
}
