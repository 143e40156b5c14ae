import { z } from 'zod';
import { defineApi } from '../http/endpoint.ts';
import { pageOf, pageQuery } from '../http/page.ts';
import { timestamp } from '../time.ts';

const queueName = z.string().min(1).max(255);

/** Which parked messages are meant; all that are given must match. */
const filterShape = {
  code: z.string().max(200).optional().describe('why it was given up, such as `attempts-exhausted`'),
  type: z.string().max(255).optional().describe('CloudEvents type, or the routing key'),
  text: z.string().min(1).max(200).optional().describe('found in the body or in the reason'),
  key: z.string().max(255).optional().describe('partition key'),
  since: timestamp().optional().describe('last failed not before'),
  until: timestamp().optional().describe('last failed not after'),
};

export const queueStateSchema = z
  .object({
    queue: z.string(),
    /** Of a queue of requests, which has no parking lot: who asked hears of a failure. */
    kind: z.literal('requests').optional(),
    /** Waiting for a consumer. */
    ready: z.number().int(),
    /** With a consumer; only where the management API is configured, and some seconds old. */
    unacknowledged: z.number().int().optional(),
    consumers: z.number().int(),
    parked: z.number().int(),
    /** Messages a second, as the broker counts them; only where the management API is configured. */
    rates: z.object({ in: z.number(), out: z.number(), acknowledged: z.number() }).optional(),
    /** It is no queue that anybody reads, only the parking lot of delayed messages that found no queue when they were due. */
    lotOnly: z.boolean().optional(),
    /** Set where the queue cannot be read: it is missing, or has no leader. */
    fault: z.string().optional(),
  })
  .meta({ id: 'QueueState' });

export const parkedMessageSchema = z
  .object({
    id: z.string(),
    queue: z.string(),
    type: z.string(),
    key: z.string().optional(),
    code: z.string(),
    reason: z.string(),
    attempts: z.number().int(),
    firstFailedAt: timestamp().optional(),
    lastFailedAt: timestamp().optional(),
    exchange: z.string().optional(),
    routingKey: z.string().optional(),
    redriveCount: z.number().int(),
    traceId: z.string().optional(),
    bytes: z.number().int(),
    /** As text, cut to 64 KiB; only where it was asked for. */
    body: z.string().optional(),
    stack: z.string().optional(),
    headers: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: 'ParkedMessage' });

export const parkedGroupSchema = z
  .object({
    code: z.string(),
    type: z.string(),
    count: z.number().int(),
    firstFailedAt: timestamp().optional(),
    lastFailedAt: timestamp().optional(),
    /** The reason of one of them. */
    example: z.string(),
  })
  .meta({ id: 'ParkedGroup' });

const actBody = {
  queue: queueName,
  ...filterShape,
  ids: z.array(z.string().max(512)).min(1).max(10_000).optional(),
  dryRun: z.boolean().default(false).describe('only count'),
  limit: z.number().int().min(1).max(10_000).default(1_000).describe('messages acted on by this call at most'),
};

export const actResultSchema = z
  .object({
    /** Messages looked at, those that matched, and those acted on. */
    seen: z.number().int(),
    matched: z.number().int(),
    done: z.number().int(),
    /** There may be more that match: call again, with the same `run`. */
    more: z.boolean(),
    /** Marks what was sent again, so that a message that fails again is known for one. */
    run: z.string().optional(),
    /** Why it ended early. */
    stopped: z
      .object({ code: z.enum(['failed-again', 'not-accepted']), id: z.string(), detail: z.string() })
      .optional(),
  })
  .meta({ id: 'ParkedActResult' });

/** HTTP contract of the queues and parking lots of a service; every service that consumes serves it. */
export const messagesApi = defineApi({
  service: 'messages',
  title: 'Keelson messages',
  version: '1.0.0',
  problems: {
    'all-teams-needed': { status: 403, title: 'A token for all teams is needed' },
  },
  endpoints: {
    listQueues: {
      method: 'GET',
      path: '/v1/messages/queues',
      scope: 'messages:read',
      summary: 'Every queue of the service with depth, consumers and parked messages',
      response: z.object({
        items: z.array(queueStateSchema),
        /** Where rates come from; without the management API there are none. */
        source: z.enum(['management', 'amqp']),
        readAt: timestamp(),
      }),
      status: 200,
      problems: ['all-teams-needed', 'unavailable'],
    },
    listParked: {
      method: 'GET',
      path: '/v1/messages/parked',
      scope: 'messages:read',
      summary: 'Parked messages of a queue, oldest first; they stay where they are',
      query: z.object({
        ...pageQuery,
        queue: queueName,
        ...filterShape,
        bodies: z.enum(['true', 'false']).default('false').describe('with body, headers and stack'),
      }),
      response: pageOf(parkedMessageSchema),
      status: 200,
      problems: ['all-teams-needed', 'not-found', 'unavailable'],
    },
    groupParked: {
      method: 'GET',
      path: '/v1/messages/parked/groups',
      scope: 'messages:read',
      summary: 'Parked messages of a queue by error and type, most first',
      query: z.object({ queue: queueName, ...filterShape }),
      response: z.object({ items: z.array(parkedGroupSchema), seen: z.number().int(), complete: z.boolean() }),
      status: 200,
      problems: ['all-teams-needed', 'not-found', 'unavailable'],
    },
    peekParked: {
      method: 'GET',
      path: '/v1/messages/parked/{queue}/{id}',
      scope: 'messages:read',
      summary: 'One parked message with body, headers and stack',
      params: z.object({ queue: queueName, id: z.string().min(1).max(512) }),
      response: parkedMessageSchema,
      status: 200,
      problems: ['all-teams-needed', 'not-found', 'unavailable'],
    },
    redriveParked: {
      method: 'POST',
      path: '/v1/messages/parked/redrive',
      scope: 'messages:redrive',
      summary: 'Send parked messages to their queue again, at a rate; stops when one fails again',
      body: z.strictObject({
        ...actBody,
        ratePerSecond: z.number().min(0.1).max(10_000).default(200),
        run: z.string().min(1).max(64).optional().describe('of an earlier call that this one goes on with'),
        stopOnFailure: z.boolean().default(true),
      }),
      response: actResultSchema,
      status: 200,
      problems: ['all-teams-needed', 'not-found', 'unavailable'],
    },
    editParked: {
      method: 'POST',
      path: '/v1/messages/parked/{queue}/{id}/edit',
      scope: 'messages:write',
      summary: 'Send a corrected copy under a new id, and take the original out of the parking lot',
      params: z.object({ queue: queueName, id: z.string().min(1).max(512) }),
      body: z.strictObject({ payload: z.unknown() }),
      response: z.object({ id: z.string(), replaces: z.string() }),
      status: 200,
      problems: ['all-teams-needed', 'not-found', 'unavailable'],
    },
    discardParked: {
      method: 'POST',
      path: '/v1/messages/parked/discard',
      scope: 'messages:write',
      summary: 'Delete parked messages for good',
      body: z.strictObject(actBody),
      response: actResultSchema,
      status: 200,
      problems: ['all-teams-needed', 'not-found', 'unavailable'],
    },
  },
});

export type QueueState = z.infer<typeof queueStateSchema>;
export type ParkedMessageView = z.infer<typeof parkedMessageSchema>;
export type ParkedGroup = z.infer<typeof parkedGroupSchema>;
export type ParkedActResult = z.infer<typeof actResultSchema>;
