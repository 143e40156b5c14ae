import { useCallback, useEffect, useRef, useState } from 'react';
import { readCache } from './read-cache.ts';

/** Something that is read from a service, perhaps again and again. Old data stays while a new reading fails. */
export interface Reading<T> {
  readonly data: T | undefined;
  /** Of the latest reading; undefined once one succeeds. */
  readonly error: unknown;
  /** When `data` was read (milliseconds since the epoch). */
  readonly readAt: number | undefined;
  /** Whether nothing was read yet and nothing failed yet. */
  readonly first: boolean;
  readonly refresh: () => void;
}

interface State<T> {
  readonly key: string;
  readonly data: T | undefined;
  readonly error: unknown;
  readonly readAt: number | undefined;
}

/** After failures the pause doubles, up to this. */
const MAX_PAUSE_MS = 30_000;

function begin<T>(key: string): State<T> {
  const cached = readCache.get<T>(key);
  return { key, data: cached?.data, error: undefined, readAt: cached?.at };
}

/**
 * Reads something when `key` changes, and again `everyMs` after each reading (never two at a time, and not while nobody
 * looks at the page). `read` must depend on nothing that is not in `key`.
 */
export function useRead<T>(
  key: string,
  read: (signal: AbortSignal) => Promise<T>,
  options: { readonly everyMs?: number | undefined; readonly enabled?: boolean } = {},
): Reading<T> {
  const { everyMs, enabled = true } = options;
  const [state, setState] = useState<State<T>>(() => begin(key));
  const latest = useRef(read);
  latest.current = read;
  const again = useRef<() => void>(() => undefined);

  useEffect(() => {
    setState((present) => (present.key === key ? present : begin<T>(key)));
    if (!enabled) return undefined;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    let busy = false;

    const look = async (): Promise<void> => {
      if (busy) return;
      busy = true;
      clearTimeout(timer);
      try {
        const data = await latest.current(stop.signal);
        if (stop.signal.aborted) return;
        failures = 0;
        const readAt = Date.now();
        readCache.set(key, data, readAt);
        setState({ key, data, error: undefined, readAt });
      } catch (error) {
        if (stop.signal.aborted) return;
        failures += 1;
        setState((present) => ({ ...(present.key === key ? present : begin<T>(key)), error }));
      } finally {
        busy = false;
      }
      if (everyMs !== undefined) timer = setTimeout(wake, pauseAfter(failures, everyMs));
    };
    /** The timer's call: while the page is hidden it waits for somebody to look. */
    const wake = (): void => {
      if (!document.hidden) void look();
    };
    const shown = (): void => {
      if (!document.hidden && everyMs !== undefined) void look();
    };
    again.current = () => void look();
    document.addEventListener('visibilitychange', shown);
    void look();
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', shown);
    };
  }, [key, everyMs, enabled]);

  const refresh = useCallback(() => again.current(), []);
  // Between a change of the key and its effect the state is still that of the key before.
  const shown = state.key === key ? state : begin<T>(key);
  return {
    data: shown.data,
    error: shown.error,
    readAt: shown.readAt,
    first: shown.data === undefined && shown.error === undefined,
    refresh,
  };
}

/** Milliseconds until the next reading after so many failures in a row. */
export const pauseAfter = (failures: number, everyMs: number): number =>
  failures === 0 ? everyMs : Math.max(everyMs, Math.min(MAX_PAUSE_MS, everyMs * 2 ** (failures - 1)));
