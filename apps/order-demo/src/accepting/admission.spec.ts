import fc from 'fast-check';
import { Admission } from './admission.ts';

const options = { maxWaiting: 500, maxBatch: 10, burstMs: 100 };

/** A door whose writer takes `batchMs` for each batch, driven by a virtual clock. */
function doorWith({ batchMs, ...limits }: typeof options & { batchMs: number }) {
  const admission = new Admission(limits);
  let now = 0;
  let waiting = 0;
  let writing = 0;
  let freeAt = 0;
  admission.idle(now);
  const take = (): void => {
    writing = Math.min(waiting, limits.maxBatch);
    waiting -= writing;
    if (writing === 0) return admission.idle(now);
    admission.taken(writing, now);
    freeAt = now + batchMs;
  };
  return {
    /** Lets time pass, and batches be written. */
    at(timeMs: number): void {
      while (writing > 0 && freeAt <= timeMs) {
        now = freeAt;
        admission.written(batchMs);
        take();
      }
      now = timeMs;
      if (writing === 0) admission.idle(now);
    },
    /** One comes; how many batches it is answered after, or undefined where it is refused. */
    arrives(): number | undefined {
      if (waiting >= admission.limit(now)) return undefined;
      waiting += 1;
      if (writing === 0) {
        take();
        return 1;
      }
      return 1 + Math.ceil(waiting / limits.maxBatch);
    },
  };
}

describe('how many may wait at the door', () => {
  test('a burst into an idle door is let in as far as it is written within the burst time', () => {
    const door = doorWith({ ...options, batchMs: 10 });
    door.arrives();
    door.at(50);
    const answers = Array.from({ length: 300 }, () => door.arrives());
    // 10 batches of 10 wait within 100 ms; one more is already being written, of the one that came first.
    expect(answers.filter((batches) => batches !== undefined)).toHaveLength(101);
  });

  test('memory is the limit where a burst would be worked off in time', () => {
    const admission = new Admission({ ...options, burstMs: 60_000 });
    admission.idle(0);
    expect(admission.limit(0)).toBe(500);
  });

  test('once the queue stands, whoever is let in is answered after two batches, however slow they are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 2, max: 20 }), (batchMs, overload) => {
        const door = doorWith({ ...options, batchMs });
        const gapMs = batchMs / options.maxBatch / overload;
        const answers: { at: number; batches: number | undefined }[] = [];
        const half = 100 * batchMs + 10 * options.burstMs;
        for (let at = 0; at < 2 * half; at += gapMs) {
          door.at(at);
          answers.push({ at, batches: door.arrives() });
        }
        // In the first half what was let in as a burst is worked off.
        const admitted = answers.filter(({ at, batches }) => at >= half && batches !== undefined);
        expect(Math.max(...admitted.map(({ batches }) => batches!))).toBe(2);
        // And it is not closed either: the writer always has a full batch to take.
        expect(admitted.length).toBeGreaterThanOrEqual((half / batchMs - 2) * options.maxBatch);
      }),
      { numRuns: 40 },
    );
  });

  test('below its capacity it refuses nobody', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.double({ min: 0.05, max: 0.9, noNaN: true }),
        (batchMs, load) => {
          const door = doorWith({ ...options, batchMs });
          const gapMs = batchMs / options.maxBatch / load;
          let refused = 0;
          for (let at = 0; at < 100 * batchMs; at += gapMs) {
            door.at(at);
            if (door.arrives() === undefined) refused += 1;
          }
          expect(refused).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('it takes bursts again as soon as one batch was not full', () => {
    const admission = new Admission(options);
    admission.idle(0);
    admission.written(10);
    for (let at = 0; at <= 200; at += 10) admission.taken(10, at);
    expect(admission.limit(200)).toBe(10);
    admission.taken(9, 210);
    expect(admission.limit(210)).toBe(100);
  });
});
