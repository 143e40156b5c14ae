import { useCallback, useRef, useState } from 'react';
import { type Page, type Rows, withFreshFirstPage, withNextPage } from './rows.ts';
import { useRead } from './use-read.ts';

/** A list as it is shown: its rows, and how to get more of them. */
export interface Listing<Item> {
  readonly rows: readonly Item[] | undefined;
  readonly error: unknown;
  readonly readAt: number | undefined;
  readonly first: boolean;
  /** Reads the next page; undefined where there is none. */
  readonly more: (() => void) | undefined;
  readonly loadingMore: boolean;
  readonly moreError: unknown;
  readonly refresh: () => void;
}

/** A cursor-paged list: its first page is read again and again, further pages when they are asked for. */
export function useList<Item>(
  key: string,
  read: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<Item>>,
  idOf: (item: Item) => string,
  options: { readonly everyMs?: number | undefined; readonly enabled?: boolean } = {},
): Listing<Item> {
  const held = useRef<{ key: string; rows: Rows<Item> } | undefined>(undefined);
  const [more, setMore] = useState<{ key: string; loading: boolean; error: unknown }>();

  const first = useRead(
    key,
    async (signal) => {
      const page = await read(undefined, signal);
      const present = held.current?.key === key ? held.current.rows : undefined;
      const rows: Rows<Item> =
        present === undefined ? { items: page.items, next: page.next } : withFreshFirstPage(present, page, idOf);
      held.current = { key, rows };
      return rows;
    },
    options,
  );
  const rows = held.current?.key === key ? held.current.rows : first.data;

  const loadMore = useCallback(async () => {
    const present = held.current;
    if (present?.key !== key || present.rows.next === undefined) return;
    setMore({ key, loading: true, error: undefined });
    try {
      const page = await read(present.rows.next, new AbortController().signal);
      if (held.current?.key === key) held.current = { key, rows: withNextPage(held.current.rows, page, idOf) };
      setMore({ key, loading: false, error: undefined });
    } catch (error) {
      setMore({ key, loading: false, error });
    }
  }, [key, read, idOf]);

  const mine = more?.key === key ? more : undefined;
  return {
    rows: rows?.items,
    error: first.error,
    readAt: first.readAt,
    first: first.first,
    more: rows?.next === undefined || held.current?.key !== key ? undefined : () => void loadMore(),
    loadingMore: mine?.loading ?? false,
    moreError: mine?.error,
    refresh: first.refresh,
  };
}
