import type { BotState } from './bot-api.ts';
import type { Entity } from './markdown-v2.ts';
import type { ReceivedMessage } from './messages.ts';

/** A page that shows the messages as a chat would, the newest at the bottom; it loads itself again every 2 s. */
export function messagesPage({ chats, messages }: BotState): string {
  const bubbles = messages.map((message) => {
    const chat = chats.find(({ id }) => id === message.chatId)?.title ?? String(message.chatId);
    const again = message.duplicateOf === undefined ? '' : ` · same text as #${message.duplicateOf}`;
    const head = `#${message.messageId} · ${escape(chat)} · ${message.at}${again}`;
    return `<article><header>${head}</header><p>${withMarkup(message)}</p></article>`;
  });
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="2"><title>Telegram stand-in</title>
<style>:root{color-scheme:light dark}body{font:16px/1.45 system-ui,sans-serif;max-width:44rem;margin:1rem auto;padding:0 1rem}
article{border:1px solid color-mix(in srgb,currentColor 20%,transparent);border-radius:.8rem;padding:.6rem .9rem;margin:.6rem 0}
header{opacity:.7;font-size:.8rem}p{margin:.3rem 0;white-space:pre-wrap;overflow-wrap:anywhere}</style>
<h1>Telegram stand-in</h1><p>${messages.length} messages. Nothing here reached Telegram.</p>
<main>${bubbles.join('\n')}</main></html>`;
}

const tags: Record<Entity['type'], string> = {
  bold: 'b',
  italic: 'i',
  underline: 'u',
  strikethrough: 's',
  spoiler: 'mark',
  code: 'code',
  pre: 'code',
  text_link: 'a',
  custom_emoji: 'span',
  blockquote: 'q',
};

/** Entities nest properly, so an end is written before a beginning at the same place, inner ends first. */
function withMarkup({ text, entities }: ReceivedMessage): string {
  let html = '';
  for (let i = 0; i <= text.length; i++) {
    const ending = entities
      .filter(({ offset, length }) => offset + length === i)
      .toSorted((a, b) => b.offset - a.offset);
    const starting = entities.filter(({ offset }) => offset === i).toSorted((a, b) => b.length - a.length);
    html += ending.map(({ type }) => `</${tags[type]}>`).join('');
    html += starting.map(({ type }) => `<${tags[type]}>`).join('');
    html += escape(text.charAt(i));
  }
  return html;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
