import type { Suite } from './options.ts';

/** One run of Jest over files of a suite; jest.preset.mjs chooses them by its name. */
export interface Turn {
  name: 'together' | 'alone' | 'all';
  workers: number;
}

/**
 * The default suite runs in one go: its tests share nothing. Of those on further parts some bring up the whole platform,
 * whose verdicts need the processor; of those on a real cluster some run a controller or a node of all its namespaces, or
 * make it forget its history, from which others go on: these have a turn of their own, one for each cluster at a time.
 * Tests wait for servers and processes a third of their time, so more of them run than there are processors.
 */
export const turnsOf = (suite: Suite, processors: number, clusters: number): readonly Turn[] =>
  suite === 'default'
    ? [{ name: 'all', workers: processors + 2 }]
    : [
        { name: 'together', workers: processors + 1 },
        { name: 'alone', workers: clusters },
      ];
