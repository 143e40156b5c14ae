import { z } from 'zod';
import { secret } from './values.ts';

const milliseconds = (max: number) => z.coerce.number().int().min(0).max(max);

/** A URL with one of the given schemes (without colon). */
export const urlOf = (...schemes: string[]) =>
  z.string().refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1)), {
    error: `must be a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
  });

/** What every service understands, with its defaults; a service's own shape may narrow or widen a key. */
export const baseShape = {
  HOST: z.string().min(1).default('127.0.0.1').describe('address to listen on'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(0).describe('port to listen on; 0 takes a free one'),
  READY_FILE: z.string().min(1).optional().describe('file that gets {"url","pid"} as JSON once the service listens'),
  DATABASE_URL: secret(urlOf('postgres', 'postgresql')).describe('PostgreSQL database of this service'),
  AMQP_URL: secret(urlOf('amqp', 'amqps')).describe('RabbitMQ virtual host'),
  AMQP_MANAGEMENT_URL: secret(urlOf('http', 'https'))
    .optional()
    .describe('management API of RabbitMQ; the user of AMQP_URL unless it has one of its own'),
  AMQP_TOPOLOGY: z
    .enum(['declare', 'verify'])
    .default('declare')
    .describe('declare makes missing queues at start; verify makes nothing and starts only where everything fits'),
  TOKENS_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('JSON list of {name, team, scopes, sha256}; without it no token is accepted'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  OTEL_EXPORTER_OTLP_ENDPOINT: urlOf('http', 'https').optional().describe('where traces are sent, OTLP over HTTP'),
  CONFIG_FILE: z.string().min(1).optional().describe('YAML or JSON file with the same keys; the environment wins'),
  BODY_LIMIT_BYTES: z.coerce.number().int().min(1).max(67_108_864).default(1_048_576),
  REQUEST_TIME_LIMIT_MS: milliseconds(600_000).min(1).default(30_000).describe('longest time one request may take'),
  RATE_LIMIT_PER_SECOND: z.coerce
    .number()
    .min(0)
    .default(1000)
    .describe('requests a second for each token (or address, without one); twice that at once; 0 is no limit'),
  DRAIN_DELAY_MS: milliseconds(60_000)
    .default(0)
    .describe('how long to go on accepting after SIGTERM, while load balancers notice /readyz'),
  SHUTDOWN_GRACE_MS: milliseconds(600_000).default(10_000).describe('how long requests in flight may take to finish'),
} satisfies z.ZodRawShape;

export type BaseShape = typeof baseShape;
