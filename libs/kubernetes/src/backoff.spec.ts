import fc from 'fast-check';
import { backoffDelayMs, defaultBackoff, pause } from './backoff.ts';

test('every delay lies between zero and the doubled-up limit', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
      const delay = backoffDelayMs(attempt, defaultBackoff, undefined, () => random);
      const ceiling = Math.min(defaultBackoff.maxDelayMs, defaultBackoff.firstDelayMs * 2 ** attempt);
      expect(delay).toBeGreaterThanOrEqual(0);
      expect(delay).toBeLessThanOrEqual(ceiling);
    }),
  );
});

test('a wait that the server asked for is never cut short, however long', () => {
  fc.assert(
    fc.property(fc.nat(20), fc.integer({ min: 0, max: 3600 }), (attempt, seconds) => {
      expect(backoffDelayMs(attempt, defaultBackoff, seconds)).toBeGreaterThanOrEqual(seconds * 1000);
    }),
  );
});

test('a pause ends at once when it is aborted, before or during it', async () => {
  const stop = new AbortController();
  const during = pause(3_600_000, stop.signal);
  stop.abort();
  await during;
  await pause(3_600_000, stop.signal);
});
