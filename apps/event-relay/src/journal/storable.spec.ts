import fc from 'fast-check';
import { storable } from './storable.ts';

/** What PostgreSQL's jsonb takes: no U+0000, no half of a surrogate pair, in keys as in values. */
const takes = (value: unknown): boolean => {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0');
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, one]) => takes(key) && takes(one));
};

const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) });

test('whatever it is given, the result can be stored, and what could be is left as it is', () => {
  const value = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(anyText, fc.oneof(anyText, fc.array(anyText))),
    fc.constantFrom('\0', 'a\ud800b', '\\u0000', '\udc00\ud800'),
  );
  fc.assert(
    fc.property(value, (given) => {
      const result = storable(given);
      expect(takes(result)).toBe(true);
      if (takes(given)) expect(result).toEqual(given);
    }),
    { numRuns: 500 },
  );
});

test('a backslash before u0000 is text, and stays', () => {
  expect(storable({ message: 'the escape \\u0000' })).toEqual({ message: 'the escape \\u0000' });
  expect(storable({ message: 'cut\0here' })).toEqual({ message: 'cut\uFFFDhere' });
});
