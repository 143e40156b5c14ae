import { z } from 'zod';
import { defineMessage } from './message.ts';
import { timestamp } from '../time.ts';

export const messageParked = defineMessage({
  name: 'message.parked',
  version: 1,
  producer: 'any',
  summary: 'A consumer gave a message up; it lies in the parking lot of its queue with the reason',
  schema: z.object({
    service: z.string(),
    queue: z.string(),
    messageId: z.string(),
    type: z.string(),
    code: z.string(),
    reason: z.string(),
    attempts: z.number().int(),
    at: timestamp(),
  }),
});
