/**
 * MarkdownV2 of Telegram's Bot API, https://core.telegram.org/bots/api#markdownv2-style. In text every one of
 * _ * [ ] ( ) ~ ` > # + - = | { } . ! and the backslash must be escaped, or the whole message is refused.
 */
export const escapeText = (text: string): string => text.replace(/[\\_*[\]()~`>#+\-=|{}.!]/g, '\\$&');

/** Inside of `code` and `pre` only the back-quote and the backslash must be. */
export const escapeCode = (text: string): string => text.replace(/[\\`]/g, '\\$&');

/** Longest text of a message, in UTF-16 code units after entities are parsed. */
export const MESSAGE_LIMIT = 4096;

/** Cuts to so many UTF-16 units without tearing a character apart, and says that it did. */
export function cut(text: string, units: number): string {
  if (text.length <= units) return text;
  const end = /[\uD800-\uDBFF]/.test(text[units - 2] ?? '') ? units - 2 : units - 1;
  return `${text.slice(0, end)}…`;
}
