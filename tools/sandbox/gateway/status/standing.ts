/**
 * Which faults have stood for `settleMs`. Routes are changed an object at a time: between the first and the last change
 * of a release something is at fault for a moment, which is no news.
 */
export class Standing {
  readonly #settleMs: number;
  readonly #since = new Map<string, number>();

  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  /**
   * Takes what is at fault at `nowMs`; what is not among it is forgotten. `due` has stood long enough, `nextMs` is how
   * long until more will have, undefined where nothing waits.
   */
  look(faults: Iterable<string>, nowMs: number): { due: string[]; nextMs: number | undefined } {
    const present = new Set(faults);
    for (const key of this.#since.keys()) if (!present.has(key)) this.#since.delete(key);
    const due: string[] = [];
    let nextMs: number | undefined;
    for (const key of present) {
      const since = this.#since.get(key) ?? nowMs;
      this.#since.set(key, since);
      const remaining = since + this.#settleMs - nowMs;
      if (remaining <= 0) due.push(key);
      else nextMs = Math.min(nextMs ?? remaining, remaining);
    }
    return { due, nextMs };
  }
}
