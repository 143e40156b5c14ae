import fc from 'fast-check';
import { NonRetryableError, ThrottledError } from './failure.ts';
import { defaultRetryPolicy as policy, delayAfter, judge } from './retry-policy.ts';

const now = new Date('2026-01-01T12:00:00Z');
const failed = (error: unknown, attempts = 1, ageMs = 0) => ({
  error,
  attempts,
  firstFailedAt: new Date(now.getTime() - ageMs),
});

describe('a retry policy', () => {
  test.each([
    {
      name: 'an ordinary error is tried again',
      failure: failed(new Error('x')),
      verdict: { action: 'retry', kind: 'failed', attempts: 1 },
    },
    {
      name: 'the last attempt is parked',
      failure: failed(new Error('x'), policy.attempts),
      verdict: { action: 'park', code: 'attempts-exhausted', reason: 'x' },
    },
    {
      name: 'one before the last is not',
      failure: failed(new Error('x'), policy.attempts - 1),
      verdict: { action: 'retry' },
    },
    {
      name: 'a non-retryable error is parked under its code',
      failure: failed(new NonRetryableError('x', { code: 'c' })),
      verdict: { action: 'park', code: 'c' },
    },
    {
      name: 'throttling uses up no attempt',
      failure: failed(new ThrottledError('x', 5_000), 99),
      verdict: { action: 'retry', kind: 'throttled', attempts: 98 },
    },
    {
      name: 'throttling ends with the greatest age',
      failure: failed(new ThrottledError('x', 5_000), 1, policy.maxAgeMs + 1),
      verdict: { action: 'park', code: 'too-old' },
    },
    {
      name: 'exactly the greatest age is not too old',
      failure: failed(new Error('x'), 1, policy.maxAgeMs),
      verdict: { action: 'retry' },
    },
    {
      name: 'what is no error is said in words',
      failure: failed('a string', policy.attempts),
      verdict: { action: 'park', reason: 'a string' },
    },
  ])('$name', ({ failure, verdict }) => {
    expect(judge(failure, policy, now)).toMatchObject(verdict);
  });

  test('delays double up to the greatest, and jitter only lengthens, by a quarter at most', () => {
    expect([1, 2, 3, 4].map((attempts) => delayAfter(attempts, policy))).toEqual([1_000, 2_000, 4_000, 8_000]);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: policy.attempts - 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempts, random) => {
          const verdict = judge(failed(new Error('x'), attempts), policy, now, () => random);
          const least = delayAfter(attempts, policy);
          if (verdict.action !== 'retry') throw new Error('parked');
          expect(verdict.delayMs).toBeGreaterThanOrEqual(least);
          expect(verdict.delayMs).toBeLessThanOrEqual(Math.ceil(least * 1.25));
        },
      ),
    );
    expect(delayAfter(1_000, policy)).toBe(policy.maxDelayMs);
  });

  test('a clock set back never parks a message early', () => {
    expect(judge(failed(new Error('x'), 1, -86_400_000 * 30), policy, now)).toMatchObject({ action: 'retry' });
  });
});
