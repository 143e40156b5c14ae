import type { LoggerService } from '@nestjs/common';
import { logger } from './logger.ts';

const log = logger('nest');

const text = (message: unknown): string => (typeof message === 'string' ? message : JSON.stringify(message));

/** Nest's own messages in our format; its chatter about every mapped route is of no use and goes to debug. */
export const nestLogs: LoggerService = {
  log: (message: unknown, ...rest: unknown[]) => log.debug({ context: rest.at(-1) }, text(message)),
  debug: (message: unknown, ...rest: unknown[]) => log.debug({ context: rest.at(-1) }, text(message)),
  verbose: (message: unknown, ...rest: unknown[]) => log.debug({ context: rest.at(-1) }, text(message)),
  warn: (message: unknown, ...rest: unknown[]) => log.warn({ context: rest.at(-1) }, text(message)),
  error: (message: unknown, ...rest: unknown[]) =>
    message instanceof Error
      ? log.error({ err: message }, message.message)
      : log.error({ context: rest.at(-1), stack: rest.length > 1 ? rest[0] : undefined }, text(message)),
  fatal: (message: unknown, ...rest: unknown[]) => log.fatal({ context: rest.at(-1) }, text(message)),
};
