import { trace } from '@opentelemetry/api';
import { pino, type Logger as PinoLogger } from 'pino';
import { redactFields, redactUrls } from './redact.ts';

type Write = (...entry: [message: string] | [fields: object, message?: string]) => void;

/** A named logger; entries are JSON lines on stdout, with the trace id where a trace is active. */
export interface Logger {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  readonly fatal: Write;
}

// Synchronous: the last words before an exit are the ones that matter most.
const stdout = pino.destination({ dest: 1, sync: true });

const root: PinoLogger = pino(
  {
    level: 'info',
    base: {},
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }), log: (fields) => redactFields(fields) },
    serializers: { err: shownError },
    mixin: () => {
      const traceId = trace.getActiveSpan()?.spanContext().traceId;
      return traceId === undefined ? {} : { traceId };
    },
  },
  { write: (line: string) => void stdout.write(redactUrls(line)) },
);

/** Whatever was thrown; an error with its stack and with what was attached to it (a request's headers, say). */
function shownError(thrown: unknown): unknown {
  return thrown instanceof Error ? redactFields({ ...pino.stdSerializers.err(thrown) }) : thrown;
}

const children: PinoLogger[] = [];

/** A logger of that name (`component` in the entries). */
export function logger(name: string): Logger {
  const child = root.child({ component: name });
  children.push(child);
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error' | 'fatal'): Write =>
    (first: string | object, message?: string) => {
      if (typeof first === 'string') child[level](first);
      else child[level](first, message);
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    fatal: write('fatal'),
  };
}

/** Sets the level of all loggers, of the past and of the future. */
export function setLogLevel(level: string): void {
  root.level = level;
  for (const child of children) child.level = level;
}
