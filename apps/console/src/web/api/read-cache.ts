/** What was read last under each key, so that a page that is opened again shows it at once. */
const entries = new Map<string, { readonly data: unknown; readonly at: number }>();

/** More than anybody looks at in turn; the oldest goes first. */
const MAX_ENTRIES = 60;

export const readCache = {
  get<T>(key: string): { readonly data: T; readonly at: number } | undefined {
    return entries.get(key) as { data: T; at: number } | undefined;
  },
  set(key: string, data: unknown, at: number): void {
    entries.delete(key);
    entries.set(key, { data, at });
    if (entries.size > MAX_ENTRIES) entries.delete(entries.keys().next().value!);
  },
  /** At sign-out: the next user must not see what the last one saw. */
  clear(): void {
    entries.clear();
  },
};
