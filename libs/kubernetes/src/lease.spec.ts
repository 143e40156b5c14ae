import fc from 'fast-check';
import { claimed, observe, released, standing, type Observation } from './lease.ts';
import type { Lease } from './resources.ts';

const now = new Date('2026-03-01T12:00:00.123Z');
const aLease = (spec: Lease['spec'], resourceVersion = '1'): Lease => ({
  metadata: { name: 'l', resourceVersion },
  spec,
});

describe('what a candidate makes of a lease', () => {
  const held = aLease({ holderIdentity: 'a', leaseDurationSeconds: 15 });
  const seen = observe(held, undefined, 1000);

  test.each([
    { identity: 'b', at: 1000, expected: 'held' },
    { identity: 'b', at: 15_999, expected: 'held' },
    { identity: 'b', at: 16_000, expected: 'expired' },
    { identity: 'a', at: 99_000, expected: 'mine' },
  ])('held by a since 1000, seen by $identity at $at: $expected', ({ identity, at, expected }) => {
    expect(standing(seen, identity, at)).toBe(expected);
  });

  test('looking again does not move the time on, a renewal does', () => {
    expect(observe(held, seen, 9000).at).toBe(1000);
    expect(observe({ ...held, metadata: { resourceVersion: '2' } }, seen, 9000).at).toBe(9000);
  });

  test('times written by others are not read, however wrong', () => {
    const skewed = aLease({ holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: '1970-01-01T00:00:00.000000Z' });
    expect(standing(observe(skewed, undefined, 1000), 'b', 2000)).toBe('held');
  });

  test('given back, it is free at once', () => {
    expect(standing(observe(released(held, now), undefined, 1000), 'b', 1000)).toBe('free');
  });
});

describe('claiming', () => {
  test('a new lease begins with no transition', () => {
    expect(claimed(undefined, 'a', 2500, now)).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 3,
      acquireTime: '2026-03-01T12:00:00.123000Z',
      renewTime: '2026-03-01T12:00:00.123000Z',
      leaseTransitions: 0,
    });
  });

  test('a renewal keeps when it was acquired and how often it changed hands; a takeover counts one more', () => {
    const lease = aLease({ holderIdentity: 'a', acquireTime: '2026-01-01T00:00:00.000000Z', leaseTransitions: 4 });
    expect(claimed(lease, 'a', 15_000, now)).toMatchObject({
      acquireTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 4,
    });
    expect(claimed(lease, 'b', 15_000, now)).toMatchObject({
      acquireTime: '2026-03-01T12:00:00.123000Z',
      leaseTransitions: 5,
    });
  });
});

test('however slow the network and however wrong the clocks, two never lead at once', () => {
  const leaseMs = 3000;
  const deadlineMs = 2000;
  // Each act: a replica takes a turn of some length, in which it reads, and perhaps writes after a delay.
  const turn = fc.record({
    replica: fc.nat(1),
    afterMs: fc.integer({ min: 0, max: 1500 }),
    readMs: fc.integer({ min: 0, max: 400 }),
    writeMs: fc.integer({ min: 0, max: 1200 }),
  });
  const offsets = fc.tuple(fc.nat(1e9), fc.nat(1e9), fc.nat(1e9));
  fc.assert(
    fc.property(offsets, fc.array(turn, { minLength: 40, maxLength: 80 }), (clockOffsets, turns) => {
      let time = 0;
      let stored = aLease({ holderIdentity: '', leaseDurationSeconds: 1 }, '0');
      let version = 0;
      const replicas = clockOffsets.map((offset, index) => ({
        identity: `r${index}`,
        clock: () => time + offset,
        seen: undefined as Observation | undefined,
        leadsUntil: -1,
      }));
      const pending: { at: number; act: () => void }[] = [];
      const advance = (to: number): void => {
        for (;;) {
          const next = pending.toSorted((a, b) => a.at - b.at)[0];
          if (next === undefined || next.at > to) break;
          pending.splice(pending.indexOf(next), 1);
          time = Math.max(time, next.at);
          next.act();
          const leading = replicas.filter((replica) => replica.clock() < replica.leadsUntil);
          expect(leading.length).toBeLessThanOrEqual(1);
        }
        time = to;
      };
      for (const { replica: index, afterMs, readMs, writeMs } of turns) {
        advance(time + afterMs);
        const replica = replicas[index];
        if (replica === undefined) continue;
        const sentAt = replica.clock();
        const read = stored;
        const decideAt = time + readMs;
        pending.push({
          at: decideAt,
          act: () => {
            replica.seen = observe(read, replica.seen, replica.clock());
            if (standing(replica.seen, replica.identity, replica.clock()) === 'held') return;
            const spec = claimed(read, replica.identity, leaseMs, now);
            pending.push({
              at: decideAt + writeMs,
              act: () => {
                if (stored !== read) return; // 409: somebody wrote in between
                stored = aLease(spec, String(++version));
                replica.seen = observe(stored, replica.seen, replica.clock());
                replica.leadsUntil = sentAt + deadlineMs;
              },
            });
          },
        });
      }
    }),
    { numRuns: 300 },
  );
});
