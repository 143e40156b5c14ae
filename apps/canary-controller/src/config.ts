import { defineConfig, secret, urlOf } from '@keelson/service-kit';
import { hostname } from 'node:os';
import { z } from 'zod';

/** A base URL. Not with credentials: fetch refuses them, and they would stand in evidence and logs. */
const serviceUrl = urlOf('http', 'https').refine(
  (text) => !URL.canParse(text) || new URL(text).username + new URL(text).password === '',
  { error: 'must not carry a user or a password' },
);

/** Configuration of canary-controller; docs/canary-controller/configuration.md has the same table (a test compares the two). */
export const configSchema = defineConfig({
  KUBECONFIG: z.string().min(1).optional().describe('kubeconfig file; the service account of the pod where absent'),
  PROMETHEUS_URL: serviceUrl.describe('Prometheus that scrapes the gateway'),
  EVENTS_URL: serviceUrl.describe('event-relay'),
  SERVICE_TOKEN: secret(z.string().min(16)).describe('token for event-relay, with the scope events:read'),
  LEASE_NAMESPACE: z
    .string()
    .min(1)
    .max(63)
    .optional()
    .describe('namespace of the leader Lease; that of the service account or of the kubeconfig context where absent'),
  LEASE_DURATION_SECONDS: z.coerce
    .number()
    .int()
    .min(2)
    .max(300)
    .default(15)
    .describe('how long a dead leader is waited for'),
  POD_NAME: z
    .string()
    .min(1)
    .default(() => `${hostname()}-${process.pid}`)
    .describe('name of this replica in the Lease'),
});

export type Config = z.output<typeof configSchema>;
