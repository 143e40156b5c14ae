import type { z } from 'zod';
import { ConfigError, EXIT_CONFIG } from '../config/config-error.ts';
import type { BaseConfig } from '../config/define-config.ts';
import { loadConfig } from '../config/load-config.ts';
import { logger, setLogLevel } from '../observe/logger.ts';
import { type RunningService, type ServiceOptions, startService } from './start-service.ts';

const log = logger('process');

/** What a service is made of once its configuration is known. */
export type ServiceParts = Omit<ServiceOptions, 'name' | 'version' | 'config' | 'api'> &
  Partial<Pick<ServiceOptions, 'version' | 'api'>>;

export interface ServiceDefinition<Schema extends z.ZodObject> extends Pick<
  ServiceOptions,
  'name' | 'version' | 'api'
> {
  /** From {@link defineConfig}. */
  readonly config: Schema;
  /** Makes the service out of its configuration; it may open connections first, and narrow what it offers (roles). */
  readonly start: (config: z.output<Schema>) => ServiceParts | Promise<ServiceParts>;
}

/**
 * The whole of a main.ts. Exit codes: 0 after SIGTERM or SIGINT and an orderly shutdown, 78 for a configuration that
 * cannot be used (every fault is printed), 1 for anything else.
 */
export async function runService<Schema extends z.ZodObject>(definition: ServiceDefinition<Schema>): Promise<void> {
  process.on('uncaughtException', (error) => die(error, 'an exception that nothing caught'));
  process.on('unhandledRejection', (reason) => die(reason, 'a rejection that nothing handled'));
  let running: RunningService | undefined;
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
    setLogLevel((config as unknown as BaseConfig).LOG_LEVEL);
    const parts = await definition.start(config);
    running = await startService({ ...definition, ...parts, config: config as unknown as BaseConfig });
  } catch (error) {
    if (error instanceof ConfigError) {
      process.stderr.write(`${definition.name}: ${error.message}\n`);
      process.exit(EXIT_CONFIG);
    }
    die(error, 'the service could not start');
  }
}

async function shutDown(running: RunningService): Promise<void> {
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
