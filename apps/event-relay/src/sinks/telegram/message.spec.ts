import fc from 'fast-check';
import { anEntry } from '../../journal/entry.builder.ts';
import { cut, escapeText, MESSAGE_LIMIT } from './markdown.ts';
import { telegramMessage } from './message.ts';

/** What Telegram shows of a MarkdownV2 text: escapes undone, marks of bold and code taken away. */
const shown = (text: string): string => text.replace(/\\([\s\S])|[*`]/g, '$1');

describe('a Telegram message', () => {
  test('says what, where, when and how often', () => {
    const text = telegramMessage(anEntry({ count: 5, delta: 2 }));
    expect(text.split('\n')).toEqual([
      '⚠️ *BackOff* shop Pod/shop\\-v2\\-7d9f8c6b5\\-x2x4z',
      'Back\\-off restarting failed container',
      '',
      'Type: `Warning`',
      'Count: `5 (2 new)`',
      'First: `2026-03-01T12:00:00.000Z`',
      'Last: `2026-03-01T12:00:10.000Z`',
      'Source: `kubelet`',
      'Host: `node-1`',
      'Cluster: `test`',
    ]);
  });

  test('leaves a missing field out instead of saying "unknown"', () => {
    expect(telegramMessage(anEntry({ node: undefined }))).not.toContain('Host');
  });

  test('stays below the limit whatever it is told, also of characters that are two units long', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 9000 }),
      fc.constant('😀'.repeat(5000)),
      fc.constant('_'.repeat(9000)),
    );
    fc.assert(
      fc.property(text, text, (message, name) => {
        const shownText = shown(telegramMessage(anEntry({ message, reason: name, object: { kind: 'Pod', name } })));
        expect(shownText.length).toBeLessThanOrEqual(MESSAGE_LIMIT);
        expect(shownText.isWellFormed()).toBe(
          message.isWellFormed() && name.isWellFormed() ? true : shownText.isWellFormed(),
        );
      }),
      { numRuns: 200 },
    );
  });

  test('escapes every character that MarkdownV2 reserves, and nothing else', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(escapeText(text).replace(/\\([_*[\]()~`>#+\-=|{}.!\\])/g, '$1')).toBe(text);
        expect(escapeText(text).replace(/\\[\s\S]/g, '')).not.toMatch(/[_*[\]()~`>#+\-=|{}.!]/);
      }),
    );
  });

  test('is cut between characters', () => {
    expect(cut('ab😀cd', 4)).toBe('ab…');
    expect(cut('abcd', 4)).toBe('abcd');
  });
});
