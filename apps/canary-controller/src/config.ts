import { defineConfig, secret, urlOf } from '@keelson/service-kit';
import { hostname } from 'node:os';
import { z } from 'zod';

/** Everything canary-controller can be told, besides the keys that every service has. */
export const config = defineConfig({
  KUBECONFIG: z.string().optional().describe('kubeconfig file; the service account of the pod where absent'),
  PROMETHEUS_URL: urlOf('http', 'https').describe('Prometheus that scrapes the gateway'),
  EVENTS_URL: urlOf('http', 'https').describe('event-relay'),
  SERVICE_TOKEN: secret(z.string().min(16)).describe('token for event-relay, with the scope events:read'),
  LEASE_NAMESPACE: z.string().default('default').describe('namespace of the leader Lease'),
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
