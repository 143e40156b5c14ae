/**
 * What was done and is not in the cache yet. Without it a ReplicaSet would create its pods twice: its own creations
 * come back through the watch a moment later.
 */
export class Expectations {
  readonly #lifetimeMs: number;
  readonly #now: () => number;
  readonly #pending = new Map<string, { names: Set<string>; since: number }>();

  /** `lifetimeMs`: how long to wait for the cache before going by what it shows after all. */
  constructor(options: { lifetimeMs: number; now?: () => number }) {
    this.#lifetimeMs = options.lifetimeMs;
    this.#now = options.now ?? Date.now;
  }

  /** Something of `owner`'s was created or deleted under this name (or uid). */
  expect(owner: string, name: string): void {
    const entry = this.#pending.get(owner) ?? { names: new Set(), since: 0 };
    entry.names.add(name);
    entry.since = this.#now();
    this.#pending.set(owner, entry);
  }

  /** The cache shows it. */
  seen(owner: string, name: string): void {
    const entry = this.#pending.get(owner);
    entry?.names.delete(name);
    if (entry?.names.size === 0) this.#pending.delete(owner);
  }

  forget(owner: string): void {
    this.#pending.delete(owner);
  }

  /** Whether the cache shows all that was done for `owner`. */
  met(owner: string): boolean {
    const entry = this.#pending.get(owner);
    return !entry || this.#now() - entry.since > this.#lifetimeMs;
  }
}
