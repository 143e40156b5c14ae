import type { JournalEvent } from '@keelson/contracts';
import { InvalidArgumentError, type Command } from 'commander';
import { setTimeout as pause } from 'node:timers/promises';
import type { Run } from '../command.ts';
import { age } from '../output/age.ts';
import type { Column } from '../output/table.ts';

interface Filter {
  type?: 'Normal' | 'Warning';
  namespace?: string;
  kind?: string;
  name?: string;
  reason?: string;
  text?: string;
  source?: JournalEvent['source'];
}

/** `keelson events ...` */
export function addEvents(program: Command, run: Run): void {
  const events = program.command('events').description('cluster events and platform messages');

  filters(events.command('search').description('search the archive, newest first'))
    .option('--since <time>', 'not before: RFC 3339, or an age such as 30m, 2h, 7d', parseTime)
    .option('--until <time>', 'not after', parseTime)
    .option('--limit <n>', 'rows', parseCount, 50)
    .action(
      run(async ({ settings, print, now }, options: Filter & { since?: string; until?: string; limit: number }) => {
        const page = await settings.client('event-relay').listEvents({ query: options });
        print.rows(page.items, { columns: columns(now()), name: (row) => row.id, empty: 'no events match' });
        if (page.next !== undefined)
          print.say(`there are more; narrow the search or raise --limit (now ${options.limit})`);
      }),
    );

  filters(events.command('tail').description('show events as they come, until Ctrl-C'))
    .option('--lines <n>', 'begin with so many from before', parseCount, 10)
    .action(
      run(async ({ settings, print, signal }, { lines, ...filter }: Filter & { lines: number }) => {
        const client = settings.client('event-relay');
        const show = (event: JournalEvent): void =>
          print.object(event, {
            text: `${event.lastSeen}  ${event.type.padEnd(7)} ${event.reason.padEnd(20)} ${objectOf(event)}  ${event.message.replaceAll(/\s+/g, ' ')}`,
            name: event.id,
          });
        const before = await client.listEvents({ query: { ...filter, limit: Math.max(1, lines) } });
        if (lines > 0) for (const event of before.items.toReversed()) show(event);
        let after = before.items[0]?.sequence ?? 0;
        while (!signal.aborted) {
          const page = await client.listEvents({ query: { ...filter, after, order: 'asc', limit: 200 } });
          for (const event of page.items) show(event);
          after = page.items.at(-1)?.sequence ?? after;
          if (page.items.length < 200) await pause(1_000, undefined, { signal }).catch(() => undefined); // Ctrl-C ends the wait
        }
      }),
    );
}

const columns = (now: Date): Column<JournalEvent>[] => [
  { title: 'last seen', value: (row) => age(row.lastSeen, now) },
  { title: 'type', value: (row) => row.type },
  { title: 'reason', value: (row) => row.reason },
  { title: 'object', value: objectOf },
  { title: 'count', value: (row) => row.count },
  { title: 'source', value: (row) => row.source, wide: true },
  { title: 'reporter', value: (row) => row.reporter, wide: true },
  { title: 'id', value: (row) => row.id, wide: true },
  { title: 'message', value: (row) => row.message },
];

function objectOf({ object }: JournalEvent): string {
  return [object.namespace, `${object.kind.toLowerCase()}/${object.name}`].filter(Boolean).join(' ');
}

function filters(command: Command): Command {
  return command
    .option('--type <type>', 'Normal or Warning')
    .option('-n, --namespace <name>', 'namespace of the object')
    .option('--kind <kind>', 'kind of the object, such as Pod')
    .option('--name <name>', 'name of the object')
    .option('--reason <reason>', 'such as BackOff')
    .option('--text <text>', 'found in the message')
    .option('--source <source>', 'kubernetes, platform, alertmanager or http');
}

const UNITS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** An instant, or an age counted back from now, as RFC 3339. */
export function parseTime(text: string): string {
  const ago = /^(\d+)([smhd])$/.exec(text);
  if (ago) return new Date(Date.now() - Number(ago[1]) * UNITS[ago[2] as keyof typeof UNITS] * 1000).toISOString();
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('expected RFC 3339 (2026-01-31T12:00:00Z) or an age such as 30m, 2h, 7d');
  return time.toISOString();
}

/** A whole number of 0 and more. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 0) throw new InvalidArgumentError('expected a whole number');
  return count;
}
