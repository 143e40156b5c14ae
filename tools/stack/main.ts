// npm start: the whole platform on this machine, and its main story. `npm start -- --help` says what it can be told.
import { PartError, privateFolder, removePrivateFolder, sweepLeftovers } from '@keelson/testing';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeEnvFile } from './env-file.ts';
import { HELP, parseOptions, UsageError, type StackOptions } from './options.ts';
import type { Platform } from './platform.ts';
import { Progress } from './progress.ts';
import { Run } from './run.ts';
import { residentMemory } from './services/memory.ts';
import { startPlatform } from './start-platform.ts';
import { playRelease } from './story/release.ts';

const root = join(import.meta.dirname, '../..');
const progress = new Progress();
const interrupted = new AbortController();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interrupted.signal.aborted) return;
    interrupted.abort(new Error(signal));
  });
}
// The terminal went away: writing fails, and nobody is left to be told.
process.stdout.on('error', () => interrupted.abort(new Error('the terminal went away')));

process.exitCode = await main();

async function main(): Promise<number> {
  let options: StackOptions | 'help';
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nnpm start -- --help lists the options\n`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const folder = privateFolder('stack');
  const dataFolder = options.keepData ? join(root, '.keelson') : join(folder, 'data');
  const run = new Run({ root, options, folder, dataFolder, progress, signal: interrupted.signal });
  try {
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    return await play(run);
  } catch (error) {
    if (interrupted.signal.aborted) return 130;
    progress.line();
    progress.line(
      error instanceof PartError
        ? error.message
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error),
    );
    return 1;
  } finally {
    await run.stop();
    removePrivateFolder(folder);
    sweepLeftovers();
  }
}

/** Brings everything up, tells the story, and waits for the end; gives the exit code. */
async function play(run: Run): Promise<number> {
  const { options, signal } = run;
  const started = performance.now();
  const platform = await startPlatform(run);
  signal.throwIfAborted();
  progress.line();
  progress.good(`ready in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  progress.say(residentMemory(platform.services));
  const envFile = options.envFile ?? join(run.folder, 'env');
  writeEnvFile(envFile, platform);
  progress.say(`every URL and credential: ${envFile}`);
  let good = true;
  if (options.story === 'release') good = (await playRelease(platform, signal)).good;
  progress.line();
  if (options.once) return good ? 0 : 1;
  showAccess(platform, envFile);
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  return good ? 0 : 1;
}

function showAccess(platform: Platform, envFile: string): void {
  const { urls } = platform;
  progress.heading('Everything stays up until Ctrl-C');
  progress.say(`console      ${urls.console}`);
  progress.say(`token        ${platform.credentials.tokens.operator}`);
  progress.say(`gateway      ${urls.gateway}   (root certificate: ${platform.caFile})`);
  progress.say(`cert-service ${urls.cert}   event-relay ${urls.events}   canary-controller ${urls.canary}`);
  progress.say(`Prometheus   ${urls.prometheus}   Telegram stand-in ${urls.telegram}`);
  progress.say(
    `payments     ${urls.payments}/behaviour   (PUT {"mode": "slow", "delayMs": 2000}; also late, down, dropping, declining)`,
  );
  progress.say(`kubeconfig   ${platform.kubeconfig}`);
  progress.say(`next: npm run --silent keelson -- --env-file ${envFile} status`);
}
