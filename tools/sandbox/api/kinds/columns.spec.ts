import { parseDuration } from '../duration.ts';
import { humanDuration } from './columns.ts';

// The cases of k8s.io/apimachinery/pkg/util/duration's own test.
test.each([
  [1, '1s'],
  [70, '70s'],
  [190, '3m10s'],
  [70 * 60, '70m'],
  [47 * 3600, '47h'],
  [49 * 3600, '2d1h'],
  [(8 * 24 + 2) * 3600, '8d'],
  [367 * 24 * 3600, '367d'],
  [(365 * 2 * 24 + 25) * 3600, '2y1d'],
  [(365 * 8 * 24 + 2) * 3600, '8y'],
])('%d seconds are %s', (seconds, text) => {
  expect(humanDuration(seconds * 1000)).toBe(text);
});

test('durations are read; anything else is none', () => {
  expect(parseDuration('1h30m')).toBe(5_400_000);
  expect(parseDuration('250ms')).toBe(250);
  expect(parseDuration('soon')).toBeUndefined();
});
