import {
  canaryPhase,
  canarySpecSchema,
  NoAnswerError,
  ProblemError,
  type Canary,
  type Decision,
  type Evidence,
} from '@keelson/contracts';
import { Option, type Command } from 'commander';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Context, Run } from '../command.ts';
import { EXIT, Failure } from '../failure.ts';
import { age } from '../output/age.ts';
import { clean, type Column } from '../output/table.ts';
import { readAll } from './read-all.ts';

const fileSchema = z.object({
  kind: z.literal('Canary', { error: 'must be Canary' }),
  metadata: z.object({ name: z.string(), namespace: z.string().default('default') }),
  spec: canarySpecSchema,
});

/** How long a service that does not answer is waited for while a release is followed. */
const PATIENCE_MS = 60_000;

/** `keelson canary ...` */
export function addCanary(program: Command, run: Run): void {
  const canary = program.command('canary').description('gray releases');

  canary
    .command('list')
    .description('every canary with where it stands')
    .option('-n, --namespace <name>', 'only this namespace')
    .addOption(new Option('--phase <phase>', 'only this phase').choices(canaryPhase.options))
    .action(
      run(async ({ settings, print, now }, options: { namespace?: string; phase?: Canary['phase'] }) => {
        const client = settings.client('canary-controller');
        const rows = await readAll((cursor) => client.listCanaries({ query: { ...options, cursor, limit: 200 } }));
        print.rows(rows, { columns: columns(now()), name: nameOf, empty: 'no canaries' });
      }),
    );

  canary
    .command('get')
    .description('one canary with its evidence and latest decisions')
    .argument('<namespace/name>')
    .option('-w, --watch', 'follow it until its release is over')
    .action(
      run(async (context, options: { watch?: boolean }, name: string) => {
        const params = parseName(name);
        const client = context.settings.client('canary-controller');
        if (options.watch) return follow(context, params);
        const [found, decisions] = await Promise.all([
          client.getCanary({ params }),
          client.listDecisions({ params, query: { limit: 10 } }),
        ]);
        const lines = [
          `Name:       ${nameOf(found)}`,
          `Team:       ${found.team}`,
          `Phase:      ${found.phase}`,
          `Why:        ${clean(found.reason)}`,
          `Traffic:    ${found.weight} % to ${found.spec.canary.service}, the rest to ${found.spec.stable.service}`,
          `Step:       ${found.step + 1} of ${found.spec.steps.length}`,
          'Evidence:',
          ...found.evidence.map(describeEvidence),
          'Decisions:',
          ...decisions.items.map(
            (one) => `  ${one.at}  ${one.act.padEnd(11)} ${one.actor.padEnd(12)} ${clean(one.reason)}`,
          ),
        ];
        context.print.object({ ...found, decisions: decisions.items }, { text: lines.join('\n'), name: nameOf(found) });
      }),
    );

  canary
    .command('apply')
    .description('create a canary or start its next release')
    .requiredOption('-f, --file <path>', 'YAML or JSON of a Canary; - reads standard input')
    .action(
      run(async ({ settings, print }, { file }: { file: string }) => {
        const parsed = fileSchema.safeParse(readYaml(file));
        if (!parsed.success) throw new Failure(`${file}: ${z.prettifyError(parsed.error)}`, EXIT.usage);
        const { metadata, spec } = parsed.data;
        const applied = await settings.client('canary-controller').applyCanary({ body: { ...metadata, spec } });
        print.object(applied, { text: `canary ${nameOf(applied)} is ${applied.phase}`, name: nameOf(applied) });
        print.say(`next: keelson canary get ${nameOf(applied)} --watch`);
      }),
    );

  const act = (verb: 'abort' | 'pause' | 'resume', description: string): void => {
    canary
      .command(verb)
      .description(description)
      .argument('<namespace/name>')
      .option('--reason <text>', 'kept in the history', '')
      .action(
        run(async ({ settings, print }, { reason }: { reason: string }, name: string) => {
          const client = settings.client('canary-controller');
          const call = { abort: client.abortCanary, pause: client.pauseCanary, resume: client.resumeCanary }[verb];
          const done = await call({ params: parseName(name), body: { reason } });
          print.object(done, { text: `canary ${nameOf(done)} is ${done.phase}: ${done.reason}`, name: nameOf(done) });
        }),
      );
  };
  act('abort', 'send all traffic back to the old version now');
  act('pause', 'hold at the present weight');
  act('resume', 'go on after a pause');

  canary
    .command('promote')
    .description('go on from a pause')
    .argument('<namespace/name>')
    .option('--full', 'send all traffic to the new version now')
    .option('--reason <text>', 'kept in the history', '')
    .action(
      run(async ({ settings, print }, { full = false, reason }: { full?: boolean; reason: string }, name: string) => {
        const done = await settings
          .client('canary-controller')
          .promoteCanary({ params: parseName(name), body: { full, reason } });
        print.object(done, { text: `canary ${nameOf(done)} is ${done.phase}: ${done.reason}`, name: nameOf(done) });
      }),
    );
}

const nameOf = (canary: { namespace: string; name: string }): string => `${canary.namespace}/${canary.name}`;

const columns = (now: Date): Column<Canary>[] => [
  { title: 'name', value: nameOf },
  { title: 'phase', value: (row) => row.phase },
  { title: 'step', value: (row) => `${row.step + 1}/${row.spec.steps.length}` },
  { title: 'weight', value: (row) => `${row.weight}%` },
  { title: 'since', value: (row) => age(row.since, now) },
  { title: 'stable', value: (row) => row.spec.stable.deployment, wide: true },
  { title: 'canary', value: (row) => row.spec.canary.deployment, wide: true },
  { title: 'team', value: (row) => row.team, wide: true },
  { title: 'why', value: (row) => row.reason },
];

function describeEvidence(evidence: Evidence): string {
  const events = (evidence.events ?? []).map(
    (event) => `\n                  ${clean(`${event.object}: ${event.reason} x${event.count}: ${event.message}`)}`,
  );
  return `  ${evidence.check.padEnd(15)} ${evidence.outcome.padEnd(12)} ${clean(evidence.summary)}${events.join('')}`;
}

function readYaml(file: string): unknown {
  try {
    return parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (error) {
    throw new Failure(`${file}: ${(error as Error).message.trim()}`, EXIT.usage);
  }
}

function parseName(text: string): { namespace: string; name: string } {
  const [namespace, name, ...rest] = text.includes('/') ? text.split('/') : ['default', text];
  if (!namespace || !name || rest.length > 0)
    throw new Failure(`"${text}" is no name of a canary; expected NAMESPACE/NAME`, EXIT.usage);
  return { namespace, name };
}

/**
 * Each decision as it is made; exit code 1 where the release did not end well. A service that is away for a moment (it is
 * released, too) does not end it.
 */
async function follow(context: Context, params: { namespace: string; name: string }): Promise<void> {
  const { print, signal } = context;
  const told = new Set<string>();
  let hinted = false;
  for (;;) {
    const { canary, decisions } = await patiently(context, params);
    for (const decision of decisions.toReversed()) {
      if (told.has(decision.id)) continue;
      told.add(decision.id);
      const text = `${decision.at}  ${decision.act.padEnd(11)} ${clean(decision.reason)}`;
      print.object(decision, { text, name: decision.id });
    }
    if (canary.phase === 'Promoted') return;
    if (canary.phase === 'RolledBack' || canary.phase === 'Refused')
      throw new Failure(`the release is ${canary.phase}: ${clean(canary.reason)}`);
    if (canary.phase === 'Paused' && !hinted) {
      print.say(`it waits for you: keelson canary promote ${nameOf(canary)}, resume, or abort`);
    }
    hinted = canary.phase === 'Paused';
    await pause(1_000, undefined, { signal });
  }
}

async function patiently(
  { settings, print, signal }: Context,
  params: { namespace: string; name: string },
): Promise<{ canary: Canary; decisions: Decision[] }> {
  const client = settings.client('canary-controller');
  const deadline = performance.now() + PATIENCE_MS;
  for (let first = true; ; first = false) {
    signal.throwIfAborted();
    try {
      const canary = await client.getCanary({ params });
      const { items } = await client.listDecisions({ params, query: { release: canary.release, limit: 100 } });
      return { canary, decisions: items };
    } catch (error) {
      const passing = error instanceof NoAnswerError || (error instanceof ProblemError && error.status === 503);
      if (!passing || performance.now() > deadline) throw error;
      if (first) print.say(`canary-controller is away (${error.message}); waiting for it`);
      await pause(1_000, undefined, { signal });
    }
  }
}
