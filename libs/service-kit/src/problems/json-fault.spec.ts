import fc from 'fast-check';
import { jsonFault } from './json-fault.ts';

const parses = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

test.each([
  ['', 0],
  ['{"a":1,}', 7],
  ['[1 2]', 3],
  ["{'a':1}", 1],
  ['{"a":tru}', 8],
  ['{"a":01}', 6],
  ['"line\nbreak"', 5],
  ['"\\x"', 2],
  ['{"a":1}}', 7],
  ['[1,2', 4],
  ['-', 1],
  ['1.', 2],
])('finds where %j stops being JSON', (text, at) => {
  expect(jsonFault(text)).toBe(at);
});

test('agrees with JSON.parse on every text about what is JSON', () => {
  const nearlyJson = fc
    .json()
    .chain((text) =>
      fc
        .tuple(fc.nat(text.length), fc.constantFrom('', '"', ',', '}', '0', '\\', '-', ' '))
        .map(([at, change]) => text.slice(0, at) + change + text.slice(at + 1)),
    );
  fc.assert(
    fc.property(fc.oneof(fc.json(), nearlyJson, fc.string()), (text) => {
      expect(jsonFault(text) === undefined).toBe(parses(text));
    }),
    { numRuns: 2_000 },
  );
});

test('what stands before the fault could be the beginning of a JSON text', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), (text, cut) => {
      const beginning = text.slice(0, cut % text.length);
      const at = jsonFault(beginning);
      // Cut inside of it, the only fault is that it ends: unless what is left is JSON itself, as 12 of 123.
      expect(at === undefined || at === beginning.length).toBe(true);
    }),
  );
});
