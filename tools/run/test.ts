// npm test, npm run test:parts, npm run test:kubernetes: gets and starts the parts, runs Jest over all projects,
// and prints "N passed, N failed" as its last line. `npm test -- PATTERN` narrows to matching paths.
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { buildProjects, privateFolder, removePrivateFolder, sweepLeftovers } from '@keelson/testing';
import { explain, step } from './steps.ts';
import { startClusters } from './tests/clusters.ts';
import { type JestOutcome, runJest } from './tests/jest.ts';
import { endLeftovers, runVariable } from './tests/leftovers.ts';
import { testOptions } from './tests/options.ts';
import { startTestParts } from './tests/parts.ts';
import { tally, tallyLine } from './tests/tally.ts';
import { turnsOf } from './tests/turns.ts';

const root = join(import.meta.dirname, '../..');
const options = testOptions(process.argv.slice(2));
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => interrupted.abort(new Error(signal)));

const run = randomBytes(6).toString('hex');
process.env[runVariable] = run;
const folder = privateFolder('test-run');
const running: { stop(): Promise<void> }[] = [];
const total = { passed: 0, failed: 0 };
let ranTests = false;
let clusterCount = 1;

function fail(text: string): void {
  process.stderr.write(`\n${text}\n`);
  total.failed += 1;
}

function count(outcome: JestOutcome): void {
  if (outcome.kind === 'broken') return fail(`Jest ended without results (exit code ${outcome.exit.code}); see above`);
  const counted = tally(outcome.results);
  const ran = counted.passed + counted.failed > 0;
  ranTests ||= ran;
  total.passed += counted.passed;
  total.failed += counted.failed;
  if (outcome.kind === 'hung')
    fail('Jest wrote its results and did not end: something it started in its own process was not stopped');
  else if (outcome.exit.code !== 0 && counted.failed === 0 && ran)
    fail(`Jest ended with exit code ${outcome.exit.code}; see above`);
}

try {
  const parts = await startTestParts(options.suite, options.allowInstall);
  running.push(parts);
  const env: Record<string, string> = {
    ...parts.env,
    KEELSON_TEST_SUITE: options.suite,
    [runVariable]: run,
  };
  if (!options.allowInstall) env['KEELSON_NO_INSTALL'] = '1';
  if (options.suite === 'kubernetes') {
    const clusters = await startClusters(root);
    running.push(clusters);
    Object.assign(env, clusters.env);
    clusterCount = clusters.count;
  }
  interrupted.signal.throwIfAborted();
  // Tests that start no process run all the same.
  await step('build of what is started as a process', () => buildProjects(root, { signal: interrupted.signal })).catch(
    (error: unknown) => fail(explain(error)),
  );
  interrupted.signal.throwIfAborted();
  for (const turn of turnsOf(options.suite, availableParallelism(), clusterCount)) {
    const resultsFile = join(folder, `results-${turn.name}.json`);
    const turnEnv = { ...env, KEELSON_TEST_TURN: turn.name };
    const { workers } = turn;
    count(
      await runJest({ root, resultsFile, arguments: options.jest, workers, env: turnEnv, signal: interrupted.signal }),
    );
  }
} catch (error) {
  if (!interrupted.signal.aborted) fail(explain(error));
}

for (const part of running.toReversed()) await part.stop().catch((error: unknown) => fail(explain(error)));
for (const { pid, command } of await endLeftovers(run)) {
  if (!interrupted.signal.aborted) fail(`left running by a test, now killed: ${command} (pid ${pid})`);
}
removePrivateFolder(folder);
sweepLeftovers();
if (interrupted.signal.aborted) {
  process.stderr.write('\ninterrupted; everything is stopped\n');
  process.exit(130);
}
if (!ranTests && total.failed === 0)
  process.stderr.write(`\nno test ran: nothing matches ${options.jest.join(' ') || 'this suite'}\n`);
process.stdout.write(`${tallyLine(total)}\n`);
process.exitCode = total.failed > 0 || !ranTests ? 1 : 0;
