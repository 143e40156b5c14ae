import {
  UNCLAIMED,
  type ParkedActResult,
  type ParkedGroup,
  type ParkedMessageView,
  type QueueState,
} from '@keelson/contracts';
import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import type { Context, Run } from '../../command.ts';
import { EXIT, Failure } from '../../failure.ts';
import { age } from '../../output/age.ts';
import type { Column } from '../../output/table.ts';
import { MESSAGE_SERVICES, type MessageService, type Settings } from '../../settings.ts';
import { filtered, filterOf, parseLimit, parsePerSecond, type Filter } from './filters.ts';

/** The server's limit for one call; longer work is several calls. */
const PER_CALL = 10_000;
const PAGE = 200;

/** `keelson messages queues|parked|peek|redrive|edit|purge|export`: over HTTP, at the service that owns the queue. */
export function addParked(messages: Command, run: Run): void {
  messages
    .command('queues')
    .description('every queue with depth, consumers, rates and parked messages; exit code 1 where one has no consumer')
    .action(run(queues));

  filtered(messages.command('parked'))
    .description('messages that were given up: by error, or with a queue named, one by one')
    .argument('[queue]')
    .option('--limit <n>', 'rows', parseLimit, 50)
    .action(
      run(async (context, options: Filter & { limit: number }, queue: string | undefined) => {
        if (queue === undefined) return groups(context, options);
        const rows = await readParked(context.settings, queue, options, { limit: options.limit, bodies: false });
        context.print.rows(rows, {
          columns: parkedColumns(context.now()),
          name: (row) => row.id,
          empty: `nothing is parked in ${queue} that matches`,
        });
        if (rows.length > 0) context.print.say(`next: keelson messages peek ${queue} ${rows[0]!.id}`);
      }),
    );

  messages
    .command('peek')
    .description('one parked message with body, headers and stack; it stays where it is')
    .argument('<queue>')
    .argument('<id>')
    .action(
      run(async ({ settings, print }, _options: object, queue: string, id: string) => {
        const found = await clientOf(settings, queue).peekParked({ params: { queue, id } });
        print.object(found, { text: wordsOf(found), name: found.id });
      }),
    );

  filtered(messages.command('redrive'))
    .description('send parked messages to their queue again; stops when one fails again')
    .argument('<queue>')
    .argument('[ids...]')
    .option('--dry-run', 'only count')
    .option('--rate <n>', 'messages a second', parsePerSecond, 200)
    .option('--limit <n>', 'messages at most', parseLimit)
    .option('--no-stop', 'go on when messages fail again')
    .action(run(redrive));

  messages
    .command('edit')
    .description('send a corrected copy under a new id, and take the original out')
    .argument('<queue>')
    .argument('<id>')
    .requiredOption('-f, --file <path>', 'JSON of the new payload; - reads standard input')
    .action(
      run(async ({ settings, print }, options: { file: string }, queue: string, id: string) => {
        const payload = parseJson(readFileSync(options.file === '-' ? 0 : options.file, 'utf8'), options.file);
        const done = await clientOf(settings, queue).editParked({ params: { queue, id }, body: { payload } });
        print.object(done, { text: `${done.replaces} was sent again, corrected, as ${done.id}`, name: done.id });
      }),
    );

  filtered(messages.command('purge'))
    .description('delete parked messages for good')
    .argument('<queue>')
    .argument('[ids...]')
    .option('--dry-run', 'only count')
    .option('--limit <n>', 'messages at most', parseLimit)
    .option('--yes', 'do it without asking')
    .action(run(purge));

  filtered(messages.command('export'))
    .description('parked messages with bodies and headers as JSON lines; they stay where they are')
    .argument('<queue>')
    .option('--limit <n>', 'messages at most', parseLimit, PER_CALL)
    .action(
      run(async ({ settings, print }, options: Filter & { limit: number }, queue: string) => {
        const rows = await readParked(settings, queue, options, { limit: options.limit, bodies: true });
        for (const row of rows) print.text(JSON.stringify(row));
        print.say(`${rows.length} messages`);
      }),
    );
}

async function queues({ settings, print }: Context): Promise<void> {
  const answers = await Promise.all(configured(settings).map((name) => settings.messages(name).listQueues()));
  const found = answers.flatMap(({ items }) => items);
  // Shared by all services: each of them tells of it.
  const rows = found.filter(({ queue }, index) => found.findIndex((one) => one.queue === queue) === index);
  print.rows(rows, { columns: queueColumns, name: (row) => row.queue, empty: 'no queues' });
  if (answers.some(({ source }) => source === 'amqp')) print.say('no rates: the services have no AMQP_MANAGEMENT_URL');
  const unread = rows.filter(
    ({ consumers, lotOnly, fault }) => (consumers === 0 && lotOnly !== true) || fault !== undefined,
  );
  if (unread.length > 0) {
    const names = unread.map(({ queue }) => queue).join(', ');
    throw new Failure(`nobody reads ${names}; keelson messages doctor says more`, EXIT.failedCheck);
  }
}

async function groups({ settings, print, now }: Context, options: Filter): Promise<void> {
  const rows: (ParkedGroup & { queue: string })[] = [];
  for (const name of configured(settings)) {
    const client = settings.messages(name);
    const { items } = await client.listQueues();
    for (const { queue, parked } of items) {
      if (parked === 0 || rows.some((row) => row.queue === queue)) continue;
      const found = await client.groupParked({ query: { queue, ...filterOf(options) } });
      rows.push(...found.items.map((group) => ({ queue, ...group })));
    }
  }
  print.rows(rows, {
    columns: [
      { title: 'queue', value: (row) => row.queue },
      { title: 'code', value: (row) => row.code },
      { title: 'type', value: (row) => row.type },
      { title: 'count', value: (row) => row.count },
      { title: 'last', value: (row) => (row.lastFailedAt === undefined ? '' : age(row.lastFailedAt, now())) },
      { title: 'example', value: (row) => row.example.slice(0, 100) },
    ],
    name: (row) => `${row.queue}/${row.code}`,
    empty: 'nothing is parked',
  });
  if (rows[0] !== undefined) print.say(`next: keelson messages parked ${rows[0].queue} --code ${rows[0].code}`);
}

interface ActOptions extends Filter {
  dryRun?: boolean;
  limit?: number;
}

async function redrive(
  { settings, print, signal }: Context,
  options: ActOptions & { rate: number; stop: boolean },
  queue: string,
  ids: string[],
): Promise<void> {
  const client = clientOf(settings, queue);
  let run: string | undefined;
  const result = await inCalls(options.limit, signal, async (limit) => {
    const answer = await client.redriveParked({
      body: { ...selection(queue, options, ids), limit, ratePerSecond: options.rate, stopOnFailure: options.stop, run },
    });
    run = answer.run;
    if (answer.more) print.say(`${answer.done} sent again, going on`);
    return answer;
  });
  const { matched, done, stopped } = result;
  const text =
    options.dryRun === true
      ? `${matched} messages of ${queue} would be sent again`
      : `${done} messages of ${queue} were sent again`;
  print.object(result, { text, name: String(options.dryRun === true ? matched : done) });
  if (stopped?.code === 'failed-again')
    throw new Failure(`stopped: ${stopped.id} failed again: ${stopped.detail}`, EXIT.failedCheck);
  if (stopped !== undefined) throw new Failure(`stopped at ${stopped.id}: ${stopped.detail}`, EXIT.conflict);
}

async function purge(
  { settings, print, signal }: Context,
  options: ActOptions & { yes?: boolean },
  queue: string,
  ids: string[],
): Promise<void> {
  const client = clientOf(settings, queue);
  const call = (limit: number, dryRun: boolean) =>
    client.discardParked({ body: { ...selection(queue, { ...options, dryRun }, ids), limit } });
  if (options.dryRun !== true && options.yes !== true) {
    const { matched, more } = await call(options.limit ?? PER_CALL, true);
    throw new Failure(
      `this deletes ${more ? 'at least ' : ''}${matched} messages for good; repeat the command with --yes`,
      EXIT.usage,
    );
  }
  const result = await inCalls(options.limit, signal, (limit) => call(limit, options.dryRun === true));
  const text =
    options.dryRun === true
      ? `${result.matched} messages of ${queue} would be deleted`
      : `${result.done} messages of ${queue} were deleted`;
  print.object(result, { text, name: String(options.dryRun === true ? result.matched : result.done) });
}

const selection = (queue: string, options: ActOptions, ids: readonly string[]) => ({
  queue,
  ...filterOf(options),
  dryRun: options.dryRun === true,
  ...(ids.length === 0 ? {} : { ids: [...ids] }),
});

/** Calls until all is done, `limit` is reached, it stops by itself, or Ctrl-C; a dry run is one call. */
async function inCalls(
  limit: number | undefined,
  signal: AbortSignal,
  call: (limit: number) => Promise<ParkedActResult>,
): Promise<ParkedActResult> {
  let total: ParkedActResult | undefined;
  for (;;) {
    const left = Math.min(PER_CALL, (limit ?? Number.POSITIVE_INFINITY) - (total?.done ?? 0));
    const answer = await call(left);
    total = {
      ...answer,
      seen: (total?.seen ?? 0) + answer.seen,
      matched: (total?.matched ?? 0) + answer.matched,
      done: (total?.done ?? 0) + answer.done,
    };
    const over = !answer.more || answer.stopped !== undefined || answer.done === 0;
    if (over || signal.aborted || (limit !== undefined && total.done >= limit)) return total;
  }
}

async function readParked(
  settings: Settings,
  queue: string,
  filter: Filter,
  { limit, bodies }: { limit: number; bodies: boolean },
): Promise<ParkedMessageView[]> {
  const client = clientOf(settings, queue);
  const rows: ParkedMessageView[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.listParked({
      query: {
        queue,
        ...filterOf(filter),
        cursor,
        limit: Math.min(PAGE, limit - rows.length),
        bodies: bodies ? 'true' : 'false',
      },
    });
    rows.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined && rows.length < limit);
  return rows;
}

/** The service whose queue it is, by the first part of its name; what all share, any of them. */
function clientOf(settings: Settings, queue: string) {
  if (queue === UNCLAIMED) return settings.messages(configured(settings)[0]!);
  const service = MESSAGE_SERVICES.find((name) => queue.startsWith(`${name}.`));
  if (service !== undefined) return settings.messages(service);
  throw new Failure(
    `${queue} is no queue of a service: its name begins with ${MESSAGE_SERVICES.map((name) => `${name}.`).join(' or ')}, or it is ${UNCLAIMED}`,
    EXIT.usage,
  );
}

function configured(settings: Settings): MessageService[] {
  const names = MESSAGE_SERVICES.filter((name) => settings.has(name));
  // Says which variable is missing.
  if (names.length === 0) settings.url(MESSAGE_SERVICES[0]);
  return names;
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Failure(`${file}: ${error instanceof Error ? error.message : 'not JSON'}`, EXIT.usage);
  }
}

function wordsOf(message: ParkedMessageView): string {
  const facts: [string, string | number | undefined][] = [
    ['id', message.id],
    ['type', message.type],
    ['key', message.key],
    ['code', message.code],
    ['reason', message.reason],
    ['attempts', message.attempts],
    ['first failed', message.firstFailedAt],
    ['last failed', message.lastFailedAt],
    ['sent again', message.redriveCount],
    ['came from', `${message.exchange ?? ''} with ${message.routingKey ?? ''}`],
    ['trace', message.traceId],
  ];
  const lines = facts.filter(([, value]) => value !== undefined).map(([name, value]) => `${name.padEnd(13)} ${value}`);
  return [...lines, '', message.body ?? '', ...(message.stack === undefined ? [] : ['', message.stack])].join('\n');
}

const queueColumns: Column<QueueState>[] = [
  { title: 'queue', value: (row) => row.queue },
  { title: 'ready', value: (row) => row.ready },
  { title: 'unacked', value: (row) => row.unacknowledged },
  { title: 'consumers', value: (row) => row.consumers },
  { title: 'in/s', value: (row) => row.rates?.in.toFixed(1) },
  { title: 'out/s', value: (row) => row.rates?.out.toFixed(1) },
  { title: 'acked/s', value: (row) => row.rates?.acknowledged.toFixed(1), wide: true },
  { title: 'parked', value: (row) => (row.kind === 'requests' ? undefined : row.parked) },
  { title: 'fault', value: (row) => row.fault },
];

const parkedColumns = (now: Date): Column<ParkedMessageView>[] => [
  { title: 'id', value: (row) => row.id },
  { title: 'type', value: (row) => row.routingKey ?? row.type },
  { title: 'code', value: (row) => row.code },
  { title: 'attempts', value: (row) => row.attempts },
  { title: 'again', value: (row) => row.redriveCount },
  { title: 'last', value: (row) => (row.lastFailedAt === undefined ? '' : age(row.lastFailedAt, now)) },
  { title: 'key', value: (row) => row.key, wide: true },
  { title: 'bytes', value: (row) => row.bytes, wide: true },
  { title: 'trace', value: (row) => row.traceId, wide: true },
  { title: 'reason', value: (row) => row.reason.slice(0, 120) },
];
