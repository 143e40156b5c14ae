import type { JournalEvent } from '@keelson/contracts';
import { cut, escapeCode, escapeText } from './markdown.ts';

/** Longest a field may get, and the event's own message: together they stay below MESSAGE_LIMIT, whatever is in them. */
const FIELD_LIMIT = 256;
const TEXT_LIMIT = 2_000;

/** One event as a MarkdownV2 message: what happened first, then where, when and how often. */
export function telegramMessage(event: JournalEvent): string {
  const head = `${event.type === 'Warning' ? '⚠️' : 'ℹ️'} *${escapeText(cut(event.reason || event.type, FIELD_LIMIT))}*`;
  const where = [event.object.namespace, `${event.object.kind}/${event.object.name}`].filter(Boolean).join(' ');
  const lines = [
    `${head} ${escapeText(cut(where, FIELD_LIMIT))}`,
    escapeText(cut(event.message, TEXT_LIMIT)),
    '',
    field('Type', event.type),
    field('Count', event.delta === event.count ? String(event.count) : `${event.count} (${event.delta} new)`),
    field('First', event.firstSeen),
    field('Last', event.lastSeen),
    field('Source', event.reporter),
    field('Host', event.node),
    field('Cluster', event.cluster),
  ];
  return lines.filter((line) => line !== undefined).join('\n');
}

const field = (name: string, value: string | undefined): string | undefined =>
  value === undefined || value === '' ? undefined : `${name}: \`${escapeCode(cut(value, FIELD_LIMIT))}\``;
