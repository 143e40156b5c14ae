const KEY = 'keelson.token';

/** The token of this tab. It is in sessionStorage alone: gone with the tab, in no address, on no server. */
export const storedToken = (): string | undefined => sessionStorage.getItem(KEY) ?? undefined;

export function storeToken(token: string | undefined): void {
  if (token === undefined) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, token);
}
