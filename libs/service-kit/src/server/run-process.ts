import { setFlagsFromString } from 'node:v8';
import type { z } from 'zod';
import { ConfigError, EXIT_CONFIG } from '../config/config-error.ts';
import { loadConfig } from '../config/load-config.ts';
import { logger, setLogLevel } from '../observe/logger.ts';

const log = logger('process');

/** Something that runs until it is told to end. */
export interface Running {
  /** Drains and closes; resolves with what had to be abandoned. */
  close(): Promise<readonly string[]>;
}

export interface ProcessDefinition<Schema extends z.ZodObject> {
  readonly name: string;
  readonly config: Schema;
  readonly start: (config: z.output<Schema>) => Promise<Running>;
}

/**
 * Runs a server as a process: loads its configuration, starts it, drains it on SIGTERM or SIGINT. Exit codes: 0 after an
 * orderly shutdown, 78 for a configuration that cannot be used (every fault is printed), 1 for anything else.
 */
export async function runProcess<Schema extends z.ZodObject>(definition: ProcessDefinition<Schema>): Promise<void> {
  keepOptimisedWebAssemblyOut();
  process.on('uncaughtException', (error) => die(error, 'an exception that nothing caught'));
  process.on('unhandledRejection', (reason) => die(reason, 'a rejection that nothing handled'));
  let running: Running | undefined;
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) {
      log.warn({ signal }, 'second signal: exiting at once');
      process.exit(1);
    }
    stopping = true;
    log.info({ signal }, 'shutting down');
    if (running !== undefined) void shutDown(running);
    // Nothing was accepted yet, and what the start waits for (a database, say) may be away for long.
    else process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  try {
    const config = loadConfig(definition.config);
    const { LOG_LEVEL: level } = config as { LOG_LEVEL?: string };
    if (level !== undefined) setLogLevel(level);
    running = await definition.start(config);
  } catch (error) {
    if (error instanceof ConfigError) {
      process.stderr.write(`${definition.name}: ${error.message}\n`);
      process.exit(EXIT_CONFIG);
    }
    die(error, 'the service could not start');
  }
}

/**
 * The HTTP parser of `fetch` is WebAssembly with one function of 33 KB, which V8 compiles anew with its optimising
 * compiler after a few responses. That takes 22 MiB for a moment and leaves about 10 with the process for good, while a
 * service that does nothing but send requests is 2 % quicker for it. Neither of the flags helps without the other.
 */
function keepOptimisedWebAssemblyOut(): void {
  setFlagsFromString('--no-wasm-tier-up');
  setFlagsFromString('--no-wasm-dynamic-tiering');
}

async function shutDown(running: Running): Promise<void> {
  try {
    const abandoned = await running.close();
    log.info({ abandoned: abandoned.length }, 'stopped');
    process.exit(0);
  } catch (error) {
    die(error, 'the shutdown failed');
  }
}

function die(error: unknown, what: string): never {
  log.fatal({ err: error }, what);
  process.exit(1);
}
