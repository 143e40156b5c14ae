/** A formatted part of a message. Offsets and lengths count UTF-16 code units, as Telegram's MessageEntity does. */
export interface Entity {
  type: EntityType;
  offset: number;
  length: number;
  url?: string;
  language?: string;
}

type EntityType =
  | 'bold'
  | 'italic'
  | 'underline'
  | 'strikethrough'
  | 'spoiler'
  | 'code'
  | 'pre'
  | 'text_link'
  | 'custom_emoji'
  | 'blockquote';

/** What the Bot API says after "Bad Request: can't parse entities: ". */
export class EntityError extends Error {}

/** The Bot API's own names in its complaints. */
const names: Record<EntityType, string> = {
  bold: 'Bold',
  italic: 'Italic',
  underline: 'Underline',
  strikethrough: 'Strikethrough',
  spoiler: 'Spoiler',
  code: 'Code',
  pre: 'Pre',
  text_link: 'TextUrl',
  custom_emoji: 'CustomEmoji',
  blockquote: 'BlockQuote',
};

interface Open {
  type: EntityType;
  /** In UTF-16 code units of the result. */
  offset: number;
  /** Where it began in the source, in UTF-16 code units; complaints count bytes. */
  at: number;
  language?: string;
}

const reserved = '_*[]()~`>#+-=|{}.!';

/**
 * Parses MarkdownV2 as the Bot API does, and complains in its words (core.telegram.org/bots/api#markdownv2-style;
 * the order of the checks is that of TDLib's do_parse_markdown_v2).
 */
export function parseMarkdownV2(source: string): { text: string; entities: Entity[] } {
  const entities: Entity[] = [];
  const open: Open[] = [];
  let text = '';
  let lineStart = true;
  const quoted = (): boolean => open[0]?.type === 'blockquote';
  const close = (more: { url?: string } = {}): void => {
    const { type, offset, language } = open.pop() as Open;
    if (text.length === offset) return; // an empty entity is dropped
    entities.push({ type, offset, length: text.length - offset, ...(language ? { language } : {}), ...more });
  };
  const refuseOpen = (): never => {
    const { type, language, at } = open.at(-1) as Open;
    const name = type === 'pre' && language ? 'PreCode' : names[type];
    throw new EntityError(`Can't find end of ${name} entity at byte offset ${bytes(source, at)}`);
  };

  for (let i = 0; i < source.length; i++) {
    const c = source.charAt(i);
    const atLineStart = lineStart;
    lineStart = false;
    const next = source.charAt(i + 1);
    if (c === '\\' && next !== '' && next.charCodeAt(0) <= 126) {
      text += next;
      i++;
      continue;
    }
    const inside = open.at(-1)?.type;
    const verbatim = inside === 'code' || inside === 'pre';
    if (verbatim ? c !== '`' : !reserved.includes(c) && c !== '\n') {
      text += c;
      continue;
    }
    if (c === '\n') {
      if (quoted() && next !== '>') {
        if (open.length > 1) refuseOpen();
        close();
      }
      text += c;
      lineStart = true;
      continue;
    }
    if (inside !== undefined && endsHere(inside, source, i)) {
      if (inside === 'text_link' || inside === 'custom_emoji') {
        const link = urlAfter(source, i, inside, text.slice(open.at(-1)?.offset));
        i = link.last;
        close({ url: link.url });
      } else {
        i += delimiterLength(inside) - 1;
        close();
      }
      continue;
    }
    if (c === '>' && atLineStart && (open.length === 0 || quoted())) {
      if (!quoted()) open.push({ type: 'blockquote', offset: text.length, at: i });
      continue;
    }
    // The end of an expandable quotation: two bars at the end of its last line.
    if (quoted() && open.length === 1 && source.startsWith('||', i) && /^(\n(?!>)|$)/.test(source.slice(i + 2))) {
      i++;
      continue;
    }
    const start = startsHere(source, i);
    if (start === undefined)
      throw new EntityError(`Character '${c}' is reserved and must be escaped with the preceding '\\'`);
    open.push({
      type: start.type,
      offset: text.length,
      at: i,
      ...(start.language ? { language: start.language } : {}),
    });
    i = start.last;
  }
  if (open.length === 1 && quoted()) close();
  if (open.length > 0) refuseOpen();
  return { text, entities };
}

function endsHere(type: EntityType, source: string, i: number): boolean {
  const at = (delimiter: string): boolean => source.startsWith(delimiter, i);
  switch (type) {
    case 'bold':
      return at('*');
    case 'italic':
      return at('_') && !at('__');
    case 'underline':
      return at('__');
    case 'strikethrough':
      return at('~');
    case 'spoiler':
      return at('||');
    case 'code':
      return at('`');
    case 'pre':
      return at('```');
    case 'text_link':
    case 'custom_emoji':
      return at(']');
    case 'blockquote':
      return false; // ends with its line
  }
}

function delimiterLength(type: EntityType): number {
  return type === 'pre' ? 3 : type === 'underline' || type === 'spoiler' ? 2 : 1;
}

/** The entity whose opening delimiter stands at `i`, and the delimiter's last position. */
function startsHere(source: string, i: number): { type: EntityType; last: number; language?: string } | undefined {
  const at = (delimiter: string): boolean => source.startsWith(delimiter, i);
  if (at('__')) return { type: 'underline', last: i + 1 };
  if (at('_')) return { type: 'italic', last: i };
  if (at('*')) return { type: 'bold', last: i };
  if (at('~')) return { type: 'strikethrough', last: i };
  if (at('||')) return { type: 'spoiler', last: i + 1 };
  if (at('![')) return { type: 'custom_emoji', last: i + 1 };
  if (at('[')) return { type: 'text_link', last: i };
  if (at('```')) {
    const language = /^[^\s`]+(?=\s)/.exec(source.slice(i + 3))?.[0] ?? '';
    const body = i + 3 + language.length;
    const newline = /^(\r\n|\n\r|\n|\r)/.exec(source.slice(body))?.[0].length ?? 0; // one is not part of the text
    return { type: 'pre', last: body + newline - 1, language };
  }
  if (at('`')) return { type: 'code', last: i };
  return undefined;
}

function urlAfter(source: string, i: number, type: EntityType, text: string): { url: string; last: number } {
  if (source.charAt(i + 1) !== '(') {
    if (type === 'custom_emoji') throw new EntityError('Custom emoji entity must contain a tg://emoji URL');
    return { url: text, last: i }; // the text itself is the URL
  }
  let url = '';
  let k = i + 2;
  for (; k < source.length && source.charAt(k) !== ')'; k++) {
    if (source.charAt(k) === '\\' && k + 1 < source.length) k++;
    url += source.charAt(k);
  }
  if (k >= source.length) throw new EntityError(`Can't find end of a URL at byte offset ${bytes(source, i + 2)}`);
  return { url, last: k };
}

function bytes(source: string, end: number): number {
  return Buffer.byteLength(source.slice(0, end));
}
