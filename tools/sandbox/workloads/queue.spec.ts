import { eventually } from '@keelson/testing';

import { WorkQueue } from './queue.ts';

const quiet = { name: 'test', expected: () => false, log: () => undefined };

describe('a work queue', () => {
  test('works on a key once, however often it is added while it waits', async () => {
    const done: string[] = [];
    const queue = new WorkQueue({ ...quiet, sync: async (key) => void done.push(key) });
    for (const key of ['a', 'a', 'b', 'a']) queue.add(key);
    await eventually(() => done.length === 2);
    expect(done).toEqual(['a', 'b']);
    queue.stop();
  });

  test('works on a key again when it is added while it is worked on, and never twice at once', async () => {
    let running = 0;
    let most = 0;
    let runs = 0;
    let finish: (() => void) | undefined;
    const sync = async (): Promise<void> => {
      most = Math.max(most, ++running);
      if (++runs === 1) await new Promise<void>((resolve) => (finish = resolve));
      running--;
    };
    const queue = new WorkQueue({ ...quiet, sync });
    queue.add('a');
    await eventually(() => finish !== undefined);
    queue.add('a');
    finish?.();
    await eventually(() => runs === 2);
    expect(most).toBe(1);
    queue.stop();
  });

  test('tries again what failed, and says so unless it was to be expected', async () => {
    const said: string[] = [];
    let runs = 0;
    const sync = async (): Promise<void> => {
      runs++;
      if (runs === 1) throw new Error('somebody was faster');
      if (runs === 2) throw new Error('no connection');
    };
    const expected = (error: unknown): boolean => String(error).includes('faster');
    const queue = new WorkQueue({ ...quiet, sync, expected, log: (text) => said.push(text) });
    queue.add('a');
    await eventually(() => runs === 3);
    expect(said).toEqual(['test a: no connection; tried again']);
    queue.stop();
  });
});
