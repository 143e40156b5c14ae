import * as fc from 'fast-check';
import { parseMarkdownV2 } from './markdown-v2.ts';

const refused: [name: string, source: string, complaint: string][] = [
  ['a full stop', 'v1.2', "Character '.' is reserved and must be escaped with the preceding '\\'"],
  ['an exclamation mark', 'done!', "Character '!' is reserved and must be escaped with the preceding '\\'"],
  ['a single bar', 'a | b', "Character '|' is reserved and must be escaped with the preceding '\\'"],
  ['a quotation mark inside a line', 'a > b', "Character '>' is reserved and must be escaped with the preceding '\\'"],
  ['a closing bracket of nothing', 'a]', "Character ']' is reserved and must be escaped with the preceding '\\'"],
  ['bold that does not end', 'né *bold', "Can't find end of Bold entity at byte offset 4"],
  ['entities that cross', '*a _b* c_', "Can't find end of Italic entity at byte offset 8"],
  ['code that does not end', '`x', "Can't find end of Code entity at byte offset 0"],
  ['a code block that does not end', '```ts\nx``', "Can't find end of PreCode entity at byte offset 0"],
  ['a link that does not end', '[a](http://b', "Can't find end of a URL at byte offset 4"],
  ['an open entity at the end of a quotation', '>*a\nb*', "Can't find end of Bold entity at byte offset 1"],
];

describe('MarkdownV2 as the Bot API parses it', () => {
  test.each(refused)('refuses %s', (_name, source, complaint) => {
    expect(() => parseMarkdownV2(source)).toThrow(complaint);
  });

  test('gives the text without markup and the entities in UTF-16 code units', () => {
    expect(parseMarkdownV2('😀 *bold _both_* `a.b` [docs](https://x.y/\\))')).toEqual({
      text: '😀 bold both a.b docs',
      entities: [
        { type: 'italic', offset: 8, length: 4 },
        { type: 'bold', offset: 3, length: 9 },
        { type: 'code', offset: 13, length: 3 },
        { type: 'text_link', offset: 17, length: 4, url: 'https://x.y/)' },
      ],
    });
  });

  test('a code block keeps what is reserved elsewhere and names its language', () => {
    expect(parseMarkdownV2('```json\n{"a": [1.5]}\n```')).toEqual({
      text: '{"a": [1.5]}\n',
      entities: [{ type: 'pre', offset: 0, length: 13, language: 'json' }],
    });
  });

  test('a quotation goes on over lines that begin with >', () => {
    expect(parseMarkdownV2('>one\n>two\nthree')).toEqual({
      text: 'one\ntwo\nthree',
      entities: [{ type: 'blockquote', offset: 0, length: 7 }],
    });
  });

  test('any text is accepted and read back as it was, once every reserved character is escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = text.replaceAll(/[_*[\]()~`>#+\-=|{}.!\\]/g, String.raw`\$&`);
        expect(parseMarkdownV2(escaped)).toEqual({ text, entities: [] });
      }),
    );
  });
});
