import { CallerError } from '@keelson/service-kit';
import fc from 'fast-check';
import { parseLabelSelector } from './label-selector.ts';

const name = fc.stringMatching(/^[A-Za-z0-9_./-]{1,20}$/);
const value = fc.stringMatching(/^[A-Za-z0-9_.-]{0,20}$/);

test('whatever labels there are, the selector of them reads as them', () => {
  const separators = fc.tuple(fc.constantFrom('', ' '), fc.constantFrom('=', '=='), fc.constantFrom(',', ' , '));
  fc.assert(
    fc.property(fc.dictionary(name, value, { minKeys: 1 }), separators, (labels, [space, equals, comma]) => {
      const terms = Object.entries(labels).map((pair) => pair.join(`${space}${equals}${space}`));
      expect(parseLabelSelector(terms.join(comma))).toEqual(labels);
    }),
  );
});

test('whatever is written, it is a map or a fault of the caller', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b', '=', '!', ',', '(', ')', ' ') }), (text) => {
      try {
        parseLabelSelector(text);
      } catch (error) {
        expect(error).toBeInstanceOf(CallerError);
      }
    }),
  );
});

test.each(['app!=shop', 'app in (a,b)', '!app', 'app', 'app=a=b', 'app=shop,', '=x'])('refuses %s', (selector) => {
  expect(() => parseLabelSelector(selector)).toThrow(/has the term/);
});

test('refuses two values of one label, which nothing can have, and takes the same one twice', () => {
  expect(() => parseLabelSelector('app=a,app=b')).toThrow('two values');
  expect(parseLabelSelector('app=a,app=a')).toEqual({ app: 'a' });
});

test('a name that JavaScript gives a meaning is a name like any other', () => {
  expect(Object.entries(parseLabelSelector('__proto__=x')!)).toEqual([['__proto__', 'x']]);
});

test('none at all selects everything', () => expect(parseLabelSelector('')).toBeUndefined());
