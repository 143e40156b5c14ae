/**
 * Where a text stops being JSON (RFC 8259): the offset in UTF-16 units of the first character that no JSON text can
 * have there; undefined where it is JSON. Only run on texts that JSON.parse refused, whose messages name the position
 * in some cases only.
 */
export function jsonFault(text: string): number | undefined {
  let at = 0;
  const fail = (): never => {
    throw new Fault(at);
  };
  const space = (): void => {
    while (at < text.length && ' \t\n\r'.includes(text[at]!)) at++;
  };
  const expect = (pattern: RegExp): void => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) fail();
    at = pattern.lastIndex;
  };
  const word = (expected: string): void => {
    for (const letter of expected) {
      if (text[at] !== letter) fail();
      at++;
    }
  };
  const string = (): void => {
    if (text[at] !== '"') fail();
    at++;
    for (; text[at] !== '"'; at++) {
      if (at >= text.length || text.charCodeAt(at) < 0x20) fail();
      if (text[at] !== '\\') continue;
      at++;
      if (text[at] === 'u') {
        for (let digit = 0; digit < 4; digit++) {
          at++;
          if (!/[0-9a-fA-F]/.test(text[at] ?? '')) fail();
        }
      } else if (!'"\\/bfnrt'.includes(text[at] ?? 'x')) fail();
    }
    at++;
  };
  const members = (close: string, member: () => void): void => {
    at++;
    space();
    if (text[at] === close) {
      at++;
      return;
    }
    for (;;) {
      member();
      space();
      if (text[at] === close) break;
      if (text[at] !== ',') fail();
      at++;
      space();
    }
    at++;
  };
  const value = (): void => {
    space();
    const first = text[at];
    if (first === '{') {
      members('}', () => {
        string();
        space();
        if (text[at] !== ':') fail();
        at++;
        value();
      });
    } else if (first === '[') members(']', value);
    else if (first === '"') string();
    else if (first === 't') word('true');
    else if (first === 'f') word('false');
    else if (first === 'n') word('null');
    else {
      if (first === '-') at++;
      expect(/(?:0|[1-9][0-9]*)/y);
      if (text[at] === '.') {
        at++;
        expect(/[0-9]+/y);
      }
      if (text[at] === 'e' || text[at] === 'E') {
        at++;
        if (text[at] === '+' || text[at] === '-') at++;
        expect(/[0-9]+/y);
      }
    }
  };
  try {
    value();
    space();
    return at < text.length ? at : undefined;
  } catch (error) {
    if (error instanceof Fault) return error.at;
    throw error;
  }
}

class Fault extends Error {
  readonly at: number;

  constructor(at: number) {
    super();
    this.at = at;
  }
}
