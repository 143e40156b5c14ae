import { defineConfig, list } from '@keelson/service-kit';
import { z } from 'zod';

/** Everything event-relay can be told, besides the keys that every service has. What goes where is in RULES_FILE. */
export const config = defineConfig({
  KUBECONFIG: z.string().optional().describe('kubeconfig file; the service account of the pod where absent'),
  CLUSTER: z.string().min(1).max(63).default('default').describe('name of the cluster in events and alerts'),
  EVENT_APIS: list(z.enum(['v1', 'events.k8s.io/v1', 'none']))
    .default(['v1', 'events.k8s.io/v1'])
    .refine((apis) => apis.length > 0 && (apis.length === 1 || !apis.includes('none')), {
      error: 'must be v1, events.k8s.io/v1, both, or none alone',
    })
    .transform((apis) => [...new Set(apis)].filter((api) => api !== 'none'))
    .describe(
      'which views of Events are watched; each event is stored once whichever show it; none watches no cluster',
    ),
  RULES_FILE: z.string().min(1).optional().describe('YAML document of the sinks; without it events are only archived'),
  RETENTION_DAYS: z.coerce.number().min(0.01).max(3650).default(30).describe('how long the archive keeps an event'),
});
