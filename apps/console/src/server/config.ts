import { baseShape, list, urlOf } from '@keelson/service-kit/plain';
import { z } from 'zod';
import type { ServiceKey } from '../services.ts';

const { HOST, PORT, READY_FILE, LOG_LEVEL, CONFIG_FILE, OTEL_EXPORTER_OTLP_ENDPOINT } = baseShape;
const { REQUEST_TIME_LIMIT_MS, BODY_LIMIT_BYTES, DRAIN_DELAY_MS, SHUTDOWN_GRACE_MS } = baseShape;

/** Where a service is. A user, query or fragment in it would be silently lost, so they are refused. */
const serviceUrl = (service: string) =>
  urlOf('http', 'https')
    .refine(
      (text) => {
        if (!URL.canParse(text)) return true; // told by the check before
        const { username, password, search, hash } = new URL(text);
        return [username, password, search, hash].every((part) => part === '');
      },
      { error: 'must have neither user, password, query nor fragment' },
    )
    .describe(`base URL of ${service}`);

/** Configuration of the console's server; docs/console/configuration.md describes each key. */
export const configSchema = z.object({
  HOST,
  PORT,
  READY_FILE,
  LOG_LEVEL,
  CONFIG_FILE,
  OTEL_EXPORTER_OTLP_ENDPOINT,
  REQUEST_TIME_LIMIT_MS,
  BODY_LIMIT_BYTES,
  DRAIN_DELAY_MS,
  SHUTDOWN_GRACE_MS,
  RATE_LIMIT_PER_SECOND: z.coerce
    .number()
    .int()
    .min(0)
    .max(100_000)
    .default(100)
    .describe('requests a second for each address; 0 is no limit'),
  TRUSTED_PROXIES: list(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]))
    .default([])
    .describe('addresses of proxies whose X-Forwarded-For is believed'),
  CERT_URL: serviceUrl('cert-service'),
  EVENTS_URL: serviceUrl('event-relay'),
  CANARY_URL: serviceUrl('canary-controller'),
  ORDERS_URL: serviceUrl('order-demo'),
});

export type Config = z.output<typeof configSchema>;

/** The only addresses that the server ever connects to. */
export const addressesOf = (config: Config): Readonly<Record<ServiceKey, string>> => ({
  certificates: config.CERT_URL,
  events: config.EVENTS_URL,
  canaries: config.CANARY_URL,
  orders: config.ORDERS_URL,
});
