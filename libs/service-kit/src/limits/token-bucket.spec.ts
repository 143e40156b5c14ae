import fc from 'fast-check';
import { TokenBuckets } from './token-bucket.ts';

test('allows twice the rate at once and the rate in the long run', () => {
  const buckets = new TokenBuckets(10);
  const atOnce = Array.from({ length: 30 }, () => buckets.take('a', 0)).filter(({ allowed }) => allowed);
  expect(atOnce).toHaveLength(20);
  expect(buckets.take('a', 99).allowed).toBe(false);
  expect(buckets.take('a', 100).allowed).toBe(true);
});

test('says when to come back', () => {
  const buckets = new TokenBuckets(0.5);
  expect(buckets.take('a', 0)).toEqual({ allowed: true, remaining: 0, retryAfterSeconds: 0, resetSeconds: 2 });
  expect(buckets.take('a', 500)).toMatchObject({ allowed: false, retryAfterSeconds: 1.5 });
});

test('one key does not use up what belongs to another', () => {
  const buckets = new TokenBuckets(1);
  while (buckets.take('greedy', 0).allowed);
  expect(buckets.take('modest', 0).allowed).toBe(true);
});

test('never allows more than capacity plus rate times time, whatever the order of requests', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(1_000), { maxLength: 200 }), (rate, gaps) => {
      const buckets = new TokenBuckets(rate);
      let nowMs = 0;
      let allowed = 0;
      for (const gap of gaps) {
        nowMs += gap;
        if (buckets.take('a', nowMs).allowed) allowed++;
      }
      expect(allowed).toBeLessThanOrEqual(Math.floor(buckets.capacity + (rate * nowMs) / 1000 + 1e-6));
    }),
  );
});

test('a clock that goes back gives nothing away', () => {
  const buckets = new TokenBuckets(1);
  while (buckets.take('a', 10_000).allowed);
  expect(buckets.take('a', 0).allowed).toBe(false);
});
