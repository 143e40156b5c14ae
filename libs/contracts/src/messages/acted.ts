import { z } from 'zod';
import { timestamp } from '../time.ts';
import { defineMessage } from './message.ts';

const acted = z.object({
  service: z.string(),
  queue: z.string(),
  /** Who did it: the name of the token, or of the program. */
  by: z.string(),
  count: z.number().int(),
  /** Of the first 1,000. */
  ids: z.array(z.string()),
  at: timestamp(),
});

export const messageRedriven = defineMessage({
  name: 'message.redriven',
  version: 1,
  producer: 'any',
  summary: 'Parked messages were sent to their queue again',
  schema: acted,
});

export const messageDiscarded = defineMessage({
  name: 'message.discarded',
  version: 1,
  producer: 'any',
  summary: 'Parked messages were deleted for good',
  schema: acted,
});

export const messageEdited = defineMessage({
  name: 'message.edited',
  version: 1,
  producer: 'any',
  summary: 'A corrected copy of a parked message was sent under a new id; the original is gone',
  schema: acted.extend({ newId: z.string() }),
});
