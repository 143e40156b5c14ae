import { ProblemError, type Verdict } from '@keelson/contracts';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Context, Run } from '../command.ts';
import { EXIT, Failure } from '../failure.ts';
import { readIdsFile } from '../load/ids-file.ts';
import { clean } from '../output/table.ts';
import { parseDuration } from './cert.ts';

/** `keelson orders verify` */
export function addOrdersVerify(orders: Command, run: Run): void {
  orders
    .command('verify')
    .description(
      'name every order that is lost, doubled or stuck, and stock that does not add up; exit code 1 where there is one',
    )
    .option('--grace <duration>', 'how long an order may take', parseDuration, 30)
    .option(
      '--expect-file <path>',
      'ids that were answered 202, one a line (orders load --ids-file): each must be there',
    )
    .action(
      run(async (context, options: { grace: number; expectFile?: string }) => {
        const expected = options.expectFile === undefined ? [] : readIdsFile(options.expectFile);
        const { verdict, text } = await verdictOn(context, { graceSeconds: options.grace, expected });
        context.print.object(verdict, { text, name: verdict.ok ? 'ok' : 'faulty' });
        refuseFaulty(verdict);
      }),
    );
}

const KINDS = ['lost', 'doubled', 'stuck', 'negative'] as const;

/** The service's verdict, with those of the expected ids that are not there; `text` is what people read. */
export async function verdictOn(
  context: Context,
  { graceSeconds, expected }: { graceSeconds: number; expected: readonly string[] },
): Promise<{ verdict: Verdict; text: string }> {
  const missing = await missingOf(context, expected);
  const verdict = withMissing(await ask(context, graceSeconds), missing);
  return { verdict, text: textOf(verdict, expected.length) };
}

/** Throws Failure where the verdict names something. */
export function refuseFaulty(verdict: Verdict): void {
  if (verdict.ok) return;
  const faults = KINDS.reduce((sum, kind) => sum + verdict[kind].length, 0);
  throw new Failure(`${faults} ${faults === 1 ? 'fault' : 'faults'}`, EXIT.failedCheck);
}

/** Waits until every order has ended, `withinSeconds` at most; what then has not is for the verdict to name. */
export async function everyOrderEnded(context: Context, withinSeconds: number): Promise<void> {
  const giveUpAt = performance.now() + withinSeconds * 1000;
  while (performance.now() < giveUpAt && !context.signal.aborted) {
    const { accepted, confirmed, compensated } = await ask(context, 0);
    if (accepted === confirmed + compensated) return;
    await pause(250, undefined, { signal: context.signal }).catch(() => undefined); // Ctrl-C ends the wait
  }
}

async function ask({ settings }: Context, graceSeconds: number): Promise<Verdict> {
  return settings.client('order-demo').verifyOrders({ query: { graceSeconds } });
}

/** Those of the expected ids that the service does not know, asked for one by one, 32 at a time. */
async function missingOf({ settings }: Context, expected: readonly string[]): Promise<string[]> {
  const client = settings.client('order-demo');
  const missing: string[] = [];
  const left = expected.values();
  const asker = async (): Promise<void> => {
    for (const id of left) {
      try {
        await client.getOrder({ params: { id } });
      } catch (error) {
        if (!(error instanceof ProblemError) || error.status !== 404) throw error;
        missing.push(id);
      }
    }
  };
  await Promise.all(Array.from({ length: 32 }, asker));
  return missing.toSorted();
}

function withMissing(verdict: Verdict, missing: readonly string[]): Verdict {
  if (missing.length === 0) return verdict;
  const reason = 'it was answered as accepted, but there is no such order';
  return {
    ...verdict,
    lost: [...new Set([...verdict.lost, ...missing])],
    findings: [...findingsOf(verdict), ...missing.map((id) => ({ kind: 'lost' as const, id, reason }))],
    ok: false,
  };
}

/** A service that gives no reasons still names the ids. */
function findingsOf(verdict: Verdict): NonNullable<Verdict['findings']> {
  return verdict.findings ?? KINDS.flatMap((kind) => verdict[kind].map((id) => ({ kind, id, reason: '' })));
}

function textOf(verdict: Verdict, expected: number): string {
  const { accepted, confirmed, compensated } = verdict;
  const counts = KINDS.map((kind) => `${verdict[kind].length} ${kind}`).join(', ');
  return [
    `${accepted} accepted, ${confirmed} confirmed, ${compensated} compensated; ${counts}` +
      (expected === 0 ? '' : `; ${expected} expected ids looked up`),
    ...findingsOf(verdict).map(({ kind, id, reason }) =>
      `  ${kind.padEnd(8)}  ${clean(id)}  ${clean(reason)}`.trimEnd(),
    ),
  ].join('\n');
}
