import { ordersApi } from '@keelson/contracts';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { randomBytes } from 'node:crypto';
import { Agent } from 'undici';
import type { Context, Run } from '../command.ts';
import { EXIT, Failure } from '../failure.ts';
import { arrivals, PROFILES, type Profile } from '../load/arrivals.ts';
import { placeOrder, RETRIES, type Retry } from '../load/customer.ts';
import { openIdsFile } from '../load/ids-file.ts';
import { runLoad, type LoadState } from '../load/open-model.ts';
import { sends } from '../load/sends.ts';
import { LiveLine } from '../output/live-line.ts';
import { parseDuration } from './cert.ts';
import { parseCount } from './events.ts';
import { everyOrderEnded, refuseFaulty, verdictOn } from './orders-verify.ts';

interface LoadCommand {
  rate: number;
  for: number;
  profile: Profile;
  duplicate: number;
  reorder: number;
  seed: number;
  mode: 'async' | 'sync';
  retry: Retry;
  retryFor: number;
  maxInFlight: number;
  connections: number;
  idsFile?: string;
  verify?: boolean;
  grace: number;
}

/** `keelson orders load` */
export function addOrdersLoad(orders: Command, run: Run): void {
  orders
    .command('load')
    .description('place orders at a given rate, whatever the answers (open model)')
    .option('--rate <n>', 'orders a second; the highest rate of the profile', parseRate, 50)
    .option('--for <duration>', 'such as 30s or 5m', parseDuration, 30)
    .addOption(
      new Option(
        '--profile <profile>',
        'steady: the rate all the time; ramp: from 0 up to it; spike: a tenth of it, the rate in the middle third',
      )
        .choices(PROFILES)
        .default('steady'),
    )
    .option(
      '--duplicate <share>',
      'orders that are sent twice with the same key, at once or later; 0 to 1',
      parseShare,
      0,
    )
    .option('--reorder <share>', 'orders that change places within a window of 64; 0 to 1', parseShare, 0)
    .option('--seed <n>', 'decides duplicates and order of arrival', parseCount, 1)
    .addOption(
      new Option('--mode <mode>', 'answered when accepted, or only when confirmed')
        .choices(['async', 'sync'])
        .default('async'),
    )
    .addOption(
      new Option('--retry <what>', 'send again: never, after 429, or until it is accepted')
        .choices(RETRIES)
        .default('none'),
    )
    .option('--retry-for <duration>', 'how long one order is sent again', parseDuration, 60)
    .option('--max-in-flight <n>', 'most requests under way; more are counted as dropped', parseCount, 2_000)
    .option('--connections <n>', 'most connections; requests beyond wait in the generator', parsePositive, 128)
    .option('--ids-file <path>', 'write the id of each order that was answered 202, one a line')
    .option('--verify', 'wait until every order has ended, then verify: exit code 1 for what is lost, doubled or stuck')
    .option('--grace <duration>', 'how long --verify waits', parseDuration, 60)
    .action(run((context, options: LoadCommand) => load(context, options)));
}

async function load(context: Context, options: LoadCommand): Promise<void> {
  const { settings, print, signal } = context;
  const stock = await settings.client('order-demo').listStock({ query: { limit: 100 } });
  const skus = stock.items.filter((item) => item.available > 0).map((item) => item.sku);
  if (skus.length === 0) throw new Failure('nothing is in stock, so nothing can be ordered', EXIT.conflict);
  const dispatcher = new Agent({ connections: options.connections, ...settings.trust });
  const file = options.idsFile === undefined ? undefined : await openIdsFile(options.idsFile);
  const ids = options.verify ? new Set<string>() : undefined;
  const customer = {
    url: target(settings.url('order-demo'), options.mode),
    token: settings.token,
    dispatcher,
    skus,
    run: `load-${randomBytes(6).toString('hex')}`,
    retry: options.retry,
    retryForMs: options.retryFor * 1000,
    signal,
    ...(file || ids
      ? {
          onAccepted: (id: string) => {
            file?.add(id);
            ids?.add(id);
          },
        }
      : {}),
  };
  const live = new LiveLine(context.writeProgress, context.terminalColumns);
  const result = await runLoad({
    sends: sends({
      arrivals: arrivals({ profile: options.profile, rate: options.rate, seconds: options.for }),
      ...options,
    }),
    maxInFlight: options.maxInFlight,
    signal,
    send: (send) => placeOrder(send, customer),
    onProgress: (state) => live.show(summary(state)),
  });
  live.end();
  await Promise.all([file?.close(), dispatcher.destroy()]);
  if (ids) await everyOrderEnded(context, options.grace);
  const verified = ids && (await verdictOn(context, { graceSeconds: 0, expected: [...ids] }));
  print.object(verified ? { ...result, verdict: verified.verdict } : result, {
    text: verified ? `${summary(result)}\n${verified.text}` : summary(result),
    name: String(result.accepted),
  });
  if (verified) refuseFaulty(verified.verdict);
  if (result.failed > 0) {
    const statuses = Object.entries(result.statuses).map(([status, count]) => `${status}: ${count}`);
    throw new Failure(`${result.failed} of ${result.sent} requests failed (${statuses.join(', ')})`, EXIT.failedCheck);
  }
}

function target(base: string, mode: 'async' | 'sync'): URL {
  const url = new URL(ordersApi.endpoints.placeOrder.path, base);
  if (mode === 'sync') url.searchParams.set('mode', mode);
  return url;
}

function summary(state: LoadState): string {
  const { p50, p99, max } = state.latencyMs;
  const seldom = (['replayed', 'inProgress', 'retries'] as const)
    .filter((count) => state[count] > 0)
    .map(
      (count) =>
        `${state[count]} ${{ replayed: 'replayed', inProgress: 'in progress (409)', retries: 'retries' }[count]}, `,
    );
  return (
    `${state.elapsedSeconds.toFixed(0)} s: ${state.accepted} accepted, ${state.refused} refused (429), ${state.failed} failed, ${state.dropped} dropped, ` +
    `${seldom.join('')}${state.inFlight} under way; p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${max.toFixed(1)} ms`
  );
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (!(rate > 0 && rate <= 100_000)) throw new InvalidArgumentError('expected a number above 0, 100000 at most');
  return rate;
}

function parseShare(text: string): number {
  const share = Number(text);
  if (text.trim() === '' || !(share >= 0 && share <= 1)) throw new InvalidArgumentError('expected a share from 0 to 1');
  return share;
}

function parsePositive(text: string): number {
  const count = parseCount(text);
  if (count === 0) throw new InvalidArgumentError('expected a whole number of 1 and more');
  return count;
}
