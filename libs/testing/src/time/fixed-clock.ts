/** A clock that moves only when it is told to. */
export interface FixedClock {
  now(): Date;
  /** Moves the clock by so many milliseconds; a negative number moves it back, as a wrong NTP server would. */
  advance(ms: number): void;
}

/** A clock that stands at `start` (RFC 3339 text or a Date). */
export function fixedClock(start: string | Date): FixedClock {
  let at = new Date(start).getTime();
  if (Number.isNaN(at)) throw new TypeError(`fixedClock: ${String(start)} is no point in time; give RFC 3339 text`);
  return {
    now: () => new Date(at),
    advance: (ms) => {
      at += ms;
    },
  };
}
