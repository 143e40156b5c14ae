import { eventually } from '@keelson/testing';
import { Cancellation } from './cancellation.ts';
import { TimeLimiter } from './time-limiter.ts';

describe('a time limiter', () => {
  const begun = (limiter: TimeLimiter): { limit: Cancellation; from: number } => {
    const limit = new Cancellation();
    limiter.begin(limit);
    return { limit, from: performance.now() };
  };

  test('cancels each not before its own time, and none that ended', async () => {
    const limiter = new TimeLimiter(80);
    const [first, ended] = [begun(limiter), begun(limiter)];
    limiter.end(ended.limit);
    await eventually(() => performance.now() - first.from > 40, { everyMs: 1 });
    const last = begun(limiter);
    for (const { limit, from } of [first, last]) {
      await eventually(() => limit.cancelled, { everyMs: 1 });
      expect(performance.now() - from).toBeGreaterThanOrEqual(79);
      expect(limit.reason?.message).toBe('the handler ran longer than 80 ms');
    }
    expect(ended.limit.cancelled).toBe(false);
  });

  test('begins again after it had nothing to do', async () => {
    const limiter = new TimeLimiter(10);
    const first = begun(limiter);
    limiter.end(first.limit);
    await eventually(() => performance.now() - first.from > 30, { everyMs: 1 });
    const { limit } = begun(limiter);
    await eventually(() => limit.cancelled, { everyMs: 1 });
    expect(first.limit.cancelled).toBe(false);
  });
});
