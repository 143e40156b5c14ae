import fc from 'fast-check';
import { expand } from './expand.ts';

const variables: Record<string, string> = { A: 'a', B: '$(A)', EMPTY: '', 'DOT.TED': 'd' };
const lookUp = (name: string): string | undefined => variables[name];

describe('$(NAME) in command, args and env', () => {
  test.each([
    ['plain', 'plain'],
    ['$(A)', 'a'],
    ['x$(A)y$(A)z', 'xayaz'],
    ['$(B)', '$(A)'],
    ['$(EMPTY)', ''],
    ['$(DOT.TED)', 'd'],
    ['$(MISSING)', '$(MISSING)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$a'],
    ['$$$$(A)', '$$(A)'],
    ['$A', '$A'],
    ['${A}', '${A}'],
    ['$(A', '$(A'],
    ['100$', '100$'],
    ['$$', '$'],
    ['$()', '$()'],
  ])('%s becomes %s', (text, expected) => {
    expect(expand(text, lookUp)).toBe(expected);
  });

  test('text without a dollar sign never changes', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const plain = text.replaceAll('$', '');
        expect(expand(plain, lookUp)).toBe(plain);
      }),
    );
  });

  test('doubling every dollar sign protects any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('$', '(', ')', 'A', 'x') }), (text) => {
        expect(expand(text.replaceAll('$', '$$$$'), lookUp)).toBe(text);
      }),
    );
  });
});
