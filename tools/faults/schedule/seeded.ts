/** Random choices that a seed decides. */
export interface Dice {
  /** 0 to below 1. */
  next(): number;
  /** A whole number from `min` to `max`, both possible. */
  between(min: number, max: number): number;
  oneOf<T>(choices: readonly T[]): T;
  /** The same things in another order (Fisher-Yates). */
  shuffled<T>(things: readonly T[]): T[];
}

/** Tommy Ettinger's mulberry32: the same seed gives the same choices, on every machine. */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const between = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    between,
    oneOf: (choices) => choices[between(0, choices.length - 1)]!,
    shuffled: (things) => {
      const all = [...things];
      for (let last = all.length - 1; last > 0; last -= 1) {
        const other = between(0, last);
        [all[last], all[other]] = [all[other]!, all[last]!];
      }
      return all;
    },
  };
}
