import type { Suite } from './options.ts';

/** One run of Jest over files of a suite; jest.preset.mjs chooses them by its name. */
export interface Turn {
  name: 'together' | 'alone' | 'all';
  workers: number;
}

/**
 * The default suite runs in one go: its tests share nothing. Of those on further parts or on one real API server some
 * bring up the whole platform, whose verdicts need the processor, or make the server forget its history, from which
 * others go on: these have a turn of their own, one after the other. Tests wait for servers and processes a quarter of
 * their time, so one more of them runs than there are processors.
 */
export const turnsOf = (suite: Suite, processors: number): readonly Turn[] =>
  suite === 'default'
    ? [{ name: 'all', workers: processors + 1 }]
    : [
        { name: 'together', workers: processors + 1 },
        { name: 'alone', workers: 1 },
      ];
