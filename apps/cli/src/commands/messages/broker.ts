import { EXCHANGE } from '@keelson/contracts';
import { defaultRetryPolicy, timelineOf, type RetryPolicy } from '@keelson/messaging/timeline';
import { InvalidArgumentError, type Command } from 'commander';
import type { Context, Run } from '../../command.ts';
import type { ApplyOptions, BrokerOptions } from './at-broker.ts';
import { parseLimit } from './filters.ts';

/**
 * `keelson messages describe|routes|timeline` offline, `doctor|plan|apply` at the broker. What they do is loaded when one
 * runs: the messaging library is most of what there is to load, and no other command needs it.
 */
export function addBroker(messages: Command, run: Run): void {
  messages
    .command('describe')
    .description('exchanges, queues with their arguments, and bindings that the platform needs; needs no broker')
    .option('--service <name>', 'only of this service')
    .option('--exchange <name>', 'topic exchange', EXCHANGE)
    .action(
      run(async (context, options: { service?: string; exchange: string }) => {
        const { describe } = await import('./at-topology.ts');
        describe(context, options);
      }),
    );

  messages
    .command('routes')
    .description('each message with who sends it and which queues get it; needs no broker')
    .argument('[message]', 'routing key, or a part of it')
    .action(
      run(async (context, _options: object, message: string | undefined) => {
        const { routes } = await import('./at-topology.ts');
        routes(context, message);
      }),
    );

  messages
    .command('timeline')
    .description('when a handler that always fails is tried again, and when its message is parked')
    .option('--attempts <n>', 'failed attempts before it is parked', parseLimit, defaultRetryPolicy.attempts)
    .option(
      '--first-delay <ms>',
      'before the second attempt; doubled after',
      parseLimit,
      defaultRetryPolicy.firstDelayMs,
    )
    .option('--max-delay <ms>', 'at most', parseLimit, defaultRetryPolicy.maxDelayMs)
    .option('--max-age <ms>', 'parked when it fails longer than this', parseLimit, defaultRetryPolicy.maxAgeMs)
    .option('--quick-delays <list>', 'within an attempt, in ms', parseList, defaultRetryPolicy.quickDelaysMs)
    .action(run(async (context, options: TimelineOptions) => timeline(context, options)));

  atBroker(messages.command('doctor'))
    .description('look at the broker; each finding with its remedy; exit code 1 where something is wrong')
    .action(run(async (context, options: BrokerOptions) => (await import('./at-broker.ts')).doctor(context, options)));

  atBroker(messages.command('plan'))
    .description('what differs on the broker from what is needed; changes nothing; exit code 1 where something differs')
    .action(run(async (context, options: BrokerOptions) => (await import('./at-broker.ts')).plan(context, options)));

  atBroker(messages.command('apply'))
    .description('create what is missing and set policies; with --migrate make a queue anew and keep its messages')
    .option('--dry-run', 'only say what differs, as plan does')
    .option('--migrate <queue>', 'make this queue anew while its consumers are stopped')
    .action(
      run(async (context, options: BrokerOptions & ApplyOptions) =>
        (await import('./at-broker.ts')).apply(context, options),
      ),
    );
}

const atBroker = (command: Command): Command =>
  command
    .option('--amqp-url-file <path>', 'file with the AMQP URL; - reads standard input (default: AMQP_URL)')
    .option('--management-url-file <path>', 'file with the URL of the management API (default: AMQP_MANAGEMENT_URL)')
    .option('--exchange <name>', 'topic exchange', EXCHANGE)
    .option('--service <name>', 'only the queues of this service');

interface TimelineOptions {
  attempts: number;
  firstDelay: number;
  maxDelay: number;
  maxAge: number;
  quickDelays: readonly number[];
}

function timeline({ print }: Context, options: TimelineOptions): void {
  const policy: RetryPolicy = {
    attempts: options.attempts,
    firstDelayMs: options.firstDelay,
    maxDelayMs: options.maxDelay,
    maxAgeMs: options.maxAge,
    quickDelaysMs: options.quickDelays,
  };
  const line = timelineOf(policy);
  const text = [
    'ATTEMPT   WAIT              AT                RUNS',
    ...line.attempts.map(
      ({ attempt, waitMs, atMs, runs }) =>
        `${String(attempt).padEnd(9)} ${range(waitMs).padEnd(17)} ${range(atMs).padEnd(17)} ${runs}`,
    ),
    `parked    ${' '.repeat(17)} ${range(line.parkedAtMs).padEnd(17)} ${line.runs} in all, as ${line.parkedAs}`,
  ].join('\n');
  print.object(line, { text, name: line.parkedAs });
}

/** Without and with the most jitter. */
const range = ([least, most]: readonly [number, number]): string =>
  least === most ? duration(least) : `${duration(least)} to ${duration(most)}`;

function duration(ms: number): string {
  if (ms < 1_000) return `${ms}ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)}s`;
  return ms < 7_200_000 ? `${(ms / 60_000).toFixed(1)}m` : `${(ms / 3_600_000).toFixed(1)}h`;
}

function parseList(text: string): number[] {
  const list = text === '' ? [] : text.split(',').map(Number);
  if (list.some((one) => !Number.isInteger(one) || one < 0))
    throw new InvalidArgumentError('expected milliseconds with commas, such as 50,200');
  return list;
}
