// npm run faults: order-demo under load while one part after the other is broken. `npm run faults -- --help`.
import { buildProjects, PartError, sweepLeftovers } from '@keelson/testing';
import { join } from 'node:path';
import { Narrator } from './narrator.ts';
import { HELP, parseOptions, UsageError, type FaultOptions } from './options.ts';
import { Place } from './place/place.ts';
import { run } from './run.ts';
import { KINDS } from './schedule/kinds.ts';
import { schedule, scheduleLines, type Step } from './schedule/schedule.ts';

const root = join(import.meta.dirname, '../..');
const narrator = new Narrator();
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => interrupted.abort(new Error(signal)));
process.stdout.on('error', () => interrupted.abort(new Error('the terminal went away')));

process.exitCode = await main();

async function main(): Promise<number> {
  let options: FaultOptions | 'help' | 'list';
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nnpm run faults -- --help lists the options\n`);
    return 2;
  }
  if (options === 'help') return (narrator.line(HELP.trimEnd()), 0);
  if (options === 'list') {
    for (const [name, { what }] of Object.entries(KINDS)) narrator.line(`${name.padEnd(18)} ${what}`);
    return 0;
  }
  const steps = schedule(options);
  narrator.line(`seed ${options.seed}: ${steps.flatMap(({ faults }) => faults).length} faults in ${options.seconds} s`);
  for (const line of scheduleLines(steps)) narrator.line(line);
  narrator.line();
  return options.planOnly ? 0 : inPlace(options, steps);
}

async function inPlace(options: FaultOptions, steps: readonly Step[]): Promise<number> {
  const place = new Place({ root, ...options, say: (text) => narrator.say(text) });
  try {
    const begun = performance.now();
    if (options.build) await buildProjects(root, { only: ['--projects=order-demo,cli'], signal: interrupted.signal });
    await place.start();
    interrupted.signal.throwIfAborted();
    const broker = `RabbitMQ ${place.broker.nodes[0]!.version}${options.nodes > 1 ? ` on ${options.nodes} nodes` : ''}`;
    narrator.line(
      `PostgreSQL ${place.postgres.version}, ${broker} and ${place.processes.size} processes of order-demo are up after ` +
        `${((performance.now() - begun) / 1000).toFixed(1)} s`,
    );
    return (await run({ place, steps, options, narrator, signal: interrupted.signal })) ? 0 : 1;
  } catch (error) {
    if (interrupted.signal.aborted) return 130;
    narrator.line(error instanceof PartError ? error.message : String((error as Error).stack ?? error));
    return 1;
  } finally {
    await place.stop();
    sweepLeftovers();
  }
}
