const tails = new WeakMap<object, Map<string, Promise<unknown>>>();

/** Runs `work` when all earlier work of the same owner and name has ended, however it ended. */
export async function exclusively<T>(owner: object, name: string, work: () => Promise<T>): Promise<T> {
  const own = tails.get(owner) ?? new Map<string, Promise<unknown>>();
  tails.set(owner, own);
  const before = own.get(name) ?? Promise.resolve();
  const run = before.then(work, work);
  own.set(name, run);
  try {
    return await run;
  } finally {
    if (own.get(name) === run) own.delete(name);
  }
}
