import { trace } from '@opentelemetry/api';
import { pino, type Logger as PinoLogger } from 'pino';

/** What is never written to a log, wherever it stands in the first three levels of an entry. */
const SECRET_KEYS = [
  'authorization',
  'cookie',
  'set-cookie',
  'token',
  'password',
  'passphrase',
  'privateKey',
  'secret',
];
const redactedPaths = SECRET_KEYS.flatMap((key) => {
  const name = key.includes('-') ? `["${key}"]` : `.${key}`;
  return [name.startsWith('.') ? key : name, `*${name}`, `*.*${name}`];
});

type Write = (...entry: [message: string] | [fields: object, message?: string]) => void;

/** A named logger; entries are JSON lines on stdout, with the trace id where a trace is active. */
export interface Logger {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  readonly fatal: Write;
}

const root: PinoLogger = pino(
  {
    level: 'info',
    base: {},
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: redactedPaths, censor: '[redacted]' },
    mixin: () => {
      const traceId = trace.getActiveSpan()?.spanContext().traceId;
      return traceId === undefined ? {} : { traceId };
    },
  },
  // Synchronous: the last words before an exit are the ones that matter most.
  pino.destination({ dest: 1, sync: true }),
);

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
