import { pause, relative, span } from './relative.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  [0, '0 s'],
  [59_999, '59 s'],
  [MINUTE, '1 min'],
  [HOUR - 1, '59 min'],
  [HOUR, '1 h'],
  [DAY - 1, '23 h'],
  [DAY, '1 d'],
  [-3 * DAY, '3 d'],
])('%i ms are %s', (milliseconds, text) => {
  expect(span(milliseconds)).toBe(text);
});

test.each([
  [-1_999, 'just now'],
  [1_999, 'just now'],
  [-2_000, '2 s ago'],
  [-5 * MINUTE, '5 min ago'],
  [2 * HOUR, 'in 2 h'],
])('%i ms from now are %s', (distance, text) => {
  expect(relative(1_000_000_000_000 + distance, 1_000_000_000_000)).toBe(text);
});

test.each([
  [0, '0 ms'],
  [30.6, '31 ms'],
  [1_016, '1.02 s'],
  [25_092, '25.1 s'],
  [180_000, '3 min'],
])('a pause of %d ms reads %s', (milliseconds, text) => {
  expect(pause(milliseconds)).toBe(text);
});
