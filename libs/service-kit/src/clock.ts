/** Time as an argument: a class that needs the time takes a clock, so that a test can move it. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = Object.freeze({ now: () => new Date() });
