import { eventually } from '@keelson/testing';
import { WorkQueue } from './work-queue.ts';

describe('the work queue', () => {
  const queues: WorkQueue[] = [];
  afterEach(async () => {
    for (const queue of queues.splice(0)) await queue.stop();
  });
  function queueOf(
    work: (key: string) => Promise<number | undefined>,
    onError: (key: string, error: unknown, retryInMs: number) => void = () => undefined,
    concurrency = 8,
  ): WorkQueue {
    const queue = new WorkQueue({ work, onError, concurrency });
    queues.push(queue);
    return queue;
  }

  test('works on a key once at a time, and once more where it was wanted meanwhile', async () => {
    let release: () => void = () => undefined;
    let active = 0;
    const seen: number[] = [];
    const queue = queueOf(async () => {
      seen.push((active += 1));
      if (seen.length === 1) await new Promise<void>((resolve) => (release = resolve));
      active -= 1;
      return undefined;
    });
    queue.add('a');
    queue.add('a');
    queue.add('a');
    release();
    await eventually(() => seen.length === 2);
    expect(seen).toEqual([1, 1]);
  });

  test('works on no more keys at a time than it may, and on all of them in the end', async () => {
    let active = 0;
    let most = 0;
    const done: string[] = [];
    const queue = queueOf(
      async (key) => {
        most = Math.max(most, (active += 1));
        await new Promise(setImmediate);
        active -= 1;
        done.push(key);
        return undefined;
      },
      undefined,
      2,
    );
    for (const key of ['a', 'b', 'c', 'd', 'e']) queue.add(key);
    await eventually(() => done.length === 5);
    expect(most).toBe(2);
  });

  test('comes back when the work asked for it, or earlier where it is wanted earlier', async () => {
    let runs = 0;
    const queue = queueOf(async () => ((runs += 1) === 1 ? 3_600_000 : undefined));
    queue.add('a');
    await eventually(() => runs === 1);
    queue.add('a', 1);
    await eventually(() => runs === 2);
  });

  test('tries what failed again, with growing pauses, until it works', async () => {
    const pauses: number[] = [];
    let runs = 0;
    const queue = queueOf(
      async () => {
        runs += 1;
        if (runs < 3) throw new Error('away');
        return undefined;
      },
      (_key, _error, retryInMs) => pauses.push(retryInMs),
    );
    queue.add('a');
    await eventually(() => runs === 3);
    expect(pauses).toHaveLength(2);
    expect(pauses[0]).toBeGreaterThanOrEqual(200);
    expect(pauses[0]).toBeLessThanOrEqual(400);
    expect(pauses[1]).toBeGreaterThanOrEqual(400);
  });

  test('after stop nothing is begun, and what was begun has ended', async () => {
    let release: () => void = () => undefined;
    const done: string[] = [];
    const queue = queueOf(
      async (key) => {
        await new Promise<void>((resolve) => (release = resolve));
        done.push(key);
        return undefined;
      },
      undefined,
      1,
    );
    queue.add('a');
    queue.add('b');
    const stopped = queue.stop();
    queue.add('c');
    release();
    await stopped;
    expect(done).toEqual(['a']);
  });
});
