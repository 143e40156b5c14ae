import { useCallback, useSyncExternalStore } from 'react';
import { type Query, withQuery } from './match.ts';

/** History tells of the back button only, so navigation by the page says so itself. */
const CHANGED = 'keelson:navigated';

function subscribe(changed: () => void): () => void {
  window.addEventListener('popstate', changed);
  window.addEventListener(CHANGED, changed);
  return () => {
    window.removeEventListener('popstate', changed);
    window.removeEventListener(CHANGED, changed);
  };
}

const path = (): string => window.location.pathname;
const search = (): string => window.location.search;

export const usePath = (): string => useSyncExternalStore(subscribe, path);

/** Goes to an address of the console. `replace` leaves no entry in the history: for filters while they are typed. */
export function navigate(address: string, options: { replace?: boolean } = {}): void {
  const present = window.location.pathname + window.location.search;
  if (address === present) return;
  if (options.replace === true) window.history.replaceState(null, '', address);
  else window.history.pushState(null, '', address);
  window.dispatchEvent(new Event(CHANGED));
}

/** What stands in the query of the address, and how to change a part of it: filters live there, so a link keeps them. */
export function useQuery(): [query: Query, change: (part: Query) => void] {
  const text = useSyncExternalStore(subscribe, search);
  const change = useCallback((part: Query) => {
    const now = Object.fromEntries(new URLSearchParams(window.location.search));
    navigate(withQuery(window.location.pathname, { ...now, ...part }), { replace: true });
  }, []);
  return [Object.fromEntries(new URLSearchParams(text)), change];
}
