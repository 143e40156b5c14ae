import fc from 'fast-check';
import { GroupCommit, Overloaded } from './group-commit.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A writer that records its batches and answers when told. */
function heldWriter() {
  const batches: number[][] = [];
  const release: Array<() => void> = [];
  const write = async (batch: readonly number[]) => {
    batches.push([...batch]);
    await new Promise<void>((resolve) => release.push(resolve));
    return batch.map((n) => n * 10);
  };
  return { batches, write, release };
}

describe('group commit', () => {
  test('a lone request is written at once', async () => {
    const commit = new GroupCommit({ write: async (batch: readonly number[]) => batch, maxBatch: 10, maxWaiting: 10 });
    await expect(commit.submit(7)).resolves.toBe(7);
  });

  test('requests that arrive while a batch is written become the next batch', async () => {
    const { batches, write, release } = heldWriter();
    const commit = new GroupCommit({ write, maxBatch: 10, maxWaiting: 10 });
    const first = commit.submit(1);
    await turn();
    const others = [commit.submit(2), commit.submit(3)];
    expect(batches).toEqual([[1]]);
    release[0]!();
    expect(await first).toBe(10);
    await turn();
    release[1]!();
    expect(await Promise.all(others)).toEqual([20, 30]);
    expect(batches).toEqual([[1], [2, 3]]);
  });

  test('a full queue refuses at once and takes requests again when it has drained', async () => {
    const { write, release } = heldWriter();
    const commit = new GroupCommit({ write, maxBatch: 1, maxWaiting: 2 });
    const first = commit.submit(1);
    await turn();
    const second = commit.submit(2);
    const third = commit.submit(3);
    await expect(commit.submit(4)).rejects.toBeInstanceOf(Overloaded);
    release[0]!();
    await first;
    await turn();
    const fifth = commit.submit(5);
    for (const index of [1, 2, 3]) {
      await turn();
      release[index]!();
    }
    expect(await Promise.all([second, third, fifth])).toEqual([20, 30, 50]);
  });

  test('a batch that fails fails for its own requests only', async () => {
    let calls = 0;
    const write = async (batch: readonly number[]) => {
      calls += 1;
      if (calls === 1) throw new Error('database gone');
      return batch;
    };
    const commit = new GroupCommit({ write, maxBatch: 1, maxWaiting: 10 });
    const outcomes = await Promise.allSettled([commit.submit(1), commit.submit(2)]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'fulfilled']);
  });

  test('every request gets its own result, whatever the sizes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer(), { maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        async (all, maxBatch) => {
          const sizes: number[] = [];
          const write = async (batch: readonly number[]) => {
            sizes.push(batch.length);
            return batch.map((n) => ({ n }));
          };
          const commit = new GroupCommit({ write, maxBatch, maxWaiting: 100 });
          const results = await Promise.all(all.map((n) => commit.submit(n)));
          expect(results.map((result) => result.n)).toEqual(all);
          expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(maxBatch);
          await commit.idle();
          expect(commit.inFlight).toBe(0);
        },
      ),
      { numRuns: 50 },
    );
  });
});
