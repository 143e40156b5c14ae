import { z } from 'zod';

/** One service as its own /readyz tells, or that it does not answer. */
export const serviceStatusSchema = z.object({
  key: z.enum(['certificates', 'events', 'canaries', 'orders']),
  service: z.string(),
  state: z.enum(['ready', 'not-ready', 'draining', 'unreachable']),
  /** How long the answer took; absent where none came. */
  milliseconds: z.number().optional(),
  /** What the service waits for, or why it does not answer. */
  reason: z.string().optional(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), reason: z.string().optional() })),
});

/** Answer of GET /api/status. */
export const platformStatusSchema = z.object({
  readAt: z.iso.datetime(),
  services: z.array(serviceStatusSchema),
});

export type ServiceStatus = z.infer<typeof serviceStatusSchema>;
export type PlatformStatus = z.infer<typeof platformStatusSchema>;
