import { z } from 'zod';
import { defineApi } from '../http/endpoint.ts';
import { pageOf, pageQuery } from '../http/page.ts';
import { timestamp } from '../time.ts';

export const eventType = z.enum(['Normal', 'Warning']);

export const involvedObject = z.object({
  apiVersion: z.string().optional(),
  kind: z.string(),
  namespace: z.string().optional(),
  name: z.string(),
  uid: z.string().optional(),
});

/** An event as the journal keeps it, whatever its source. */
export const journalEventSchema = z
  .object({
    /** Position in the journal: grows, never re-used; also the replay position of a sink. */
    sequence: z.number().int(),
    id: z.uuid(),
    source: z.enum(['kubernetes', 'platform', 'alertmanager', 'http']),
    cluster: z.string(),
    type: eventType,
    reason: z.string(),
    message: z.string(),
    object: involvedObject,
    /** Component that reported it: `kubelet`, `keelson-canary-controller`, ... */
    reporter: z.string(),
    node: z.string().optional(),
    /** Labels of the involved object, where known. */
    labels: z.record(z.string(), z.string()),
    /** How often it has happened in all. */
    count: z.number().int(),
    /** How much of `count` is new since the last journal entry of the same event. */
    delta: z.number().int(),
    firstSeen: timestamp(),
    lastSeen: timestamp(),
    receivedAt: timestamp(),
  })
  .meta({ id: 'JournalEvent' });

export const sinkSchema = z
  .object({
    name: z.string(),
    kind: z.enum(['telegram', 'webhook', 'stdout', 'kafka']),
    state: z.enum(['delivering', 'retrying', 'stopped']),
    cursor: z.number().int().describe('last journal sequence that is dealt with'),
    lagEvents: z.number().int(),
    lagSeconds: z.number(),
    delivered: z.number().int(),
    deadLetters: z.number().int(),
    lastError: z.string().optional(),
  })
  .meta({ id: 'Sink' });

export const deadLetterSchema = z
  .object({
    id: z.uuid(),
    sink: z.string(),
    sequence: z.number().int(),
    reason: z.string(),
    attempts: z.number().int(),
    at: timestamp(),
    event: journalEventSchema,
  })
  .meta({ id: 'DeadLetter' });

export const gapSchema = z
  .object({
    id: z.uuid(),
    cluster: z.string(),
    cause: z.enum(['expired-resource-version', 'count-jump', 'outage']),
    from: timestamp(),
    to: timestamp(),
    detail: z.string(),
  })
  .meta({ id: 'Gap' });

/** Alertmanager's webhook payload, version 4; unknown fields are kept out. */
export const alertmanagerWebhookSchema = z
  .object({
    version: z.literal('4'),
    groupKey: z.string(),
    status: z.enum(['firing', 'resolved']),
    receiver: z.string(),
    alerts: z
      .array(
        z.object({
          status: z.enum(['firing', 'resolved']),
          labels: z.record(z.string(), z.string()),
          annotations: z.record(z.string(), z.string()).default({}),
          startsAt: z.string(),
          endsAt: z.string().optional(),
          fingerprint: z.string(),
          generatorURL: z.string().optional(),
        }),
      )
      .max(1000),
    truncatedAlerts: z.number().int().min(0).default(0).describe('left out by Alertmanager because of max_alerts'),
  })
  .meta({ id: 'AlertmanagerWebhook' });

/** HTTP contract of event-relay. */
export const eventsApi = defineApi({
  service: 'event-relay',
  title: 'Keelson events',
  version: '1.0.0',
  endpoints: {
    listEvents: {
      method: 'GET',
      path: '/v1/events',
      scope: 'events:read',
      summary: 'Search the journal; newest first unless `order=asc`',
      query: z.object({
        ...pageQuery,
        order: z.enum(['asc', 'desc']).default('desc'),
        type: eventType.optional(),
        namespace: z.string().max(63).optional(),
        kind: z.string().max(63).optional(),
        name: z.string().max(253).optional(),
        namePrefix: z.string().max(253).optional(),
        reason: z.string().max(128).optional(),
        labelSelector: z.string().max(512).optional().describe('equality terms only: `app=shop,version=v2`'),
        text: z.string().max(256).optional().describe('found in the message, case-insensitive'),
        since: timestamp().optional(),
        until: timestamp().optional(),
        after: z.coerce.number().int().min(0).optional().describe('sequence greater than this'),
        source: z.enum(['kubernetes', 'platform', 'alertmanager', 'http']).optional(),
      }),
      response: pageOf(journalEventSchema),
      status: 200,
    },
    getEvent: {
      method: 'GET',
      path: '/v1/events/{id}',
      scope: 'events:read',
      summary: 'One journal entry',
      params: z.object({ id: z.uuid() }),
      response: journalEventSchema,
      status: 200,
      problems: ['not-found'],
    },
    receiveAlerts: {
      method: 'POST',
      path: '/v1/alertmanager',
      scope: 'events:write',
      summary: "Alertmanager's webhook",
      body: alertmanagerWebhookSchema,
      response: z.object({ accepted: z.number().int() }),
      status: 202,
    },
    listSinks: {
      method: 'GET',
      path: '/v1/sinks',
      scope: 'events:read',
      summary: 'Every sink with its cursor, lag and last error',
      response: pageOf(sinkSchema),
      status: 200,
    },
    replay: {
      method: 'POST',
      path: '/v1/sinks/{name}/replay',
      scope: 'events:replay',
      summary: 'Deliver a range of the journal to a sink once more',
      params: z.object({ name: z.string().max(63) }),
      body: z.strictObject({ since: timestamp(), until: timestamp().optional(), dryRun: z.boolean().default(false) }),
      response: z.object({ count: z.number().int() }),
      status: 202,
      problems: ['not-found'],
    },
    listDeadLetters: {
      method: 'GET',
      path: '/v1/dead-letters',
      scope: 'events:read',
      summary: 'Events that a sink rejected for good',
      query: z.object({ ...pageQuery, sink: z.string().max(63).optional() }),
      response: pageOf(deadLetterSchema),
      status: 200,
    },
    redriveDeadLetter: {
      method: 'POST',
      path: '/v1/dead-letters/{id}/redrive',
      scope: 'events:replay',
      summary: 'Try a dead letter again',
      params: z.object({ id: z.uuid() }),
      response: z.object({ outcome: z.enum(['delivered', 'rejected', 'retry']), reason: z.string().optional() }),
      status: 200,
      problems: ['not-found'],
    },
    listGaps: {
      method: 'GET',
      path: '/v1/gaps',
      scope: 'events:read',
      summary: 'The loss ledger: every gap that was detected, with its bounds',
      query: z.object({ ...pageQuery }),
      response: pageOf(gapSchema),
      status: 200,
    },
  },
});

export type JournalEvent = z.infer<typeof journalEventSchema>;
export type Sink = z.infer<typeof sinkSchema>;
export type DeadLetter = z.infer<typeof deadLetterSchema>;
export type Gap = z.infer<typeof gapSchema>;
