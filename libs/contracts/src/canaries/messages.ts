import { z } from 'zod';
import { defineMessage } from '../messages/message.ts';
import { timestamp } from '../time.ts';
import { evidenceSchema } from './http.ts';

const subject = {
  canaryId: z.uuid(),
  namespace: z.string(),
  name: z.string(),
  team: z.string(),
  release: z.number().int(),
  canaryDeployment: z.string(),
  at: timestamp(),
  reason: z.string(),
};

export const canaryStarted = defineMessage({
  name: 'canary.started',
  version: 1,
  producer: 'canary-controller',
  summary: 'A release began',
  schema: z.object({ ...subject }),
});

export const canaryStepped = defineMessage({
  name: 'canary.stepped',
  version: 1,
  producer: 'canary-controller',
  summary: 'More traffic goes to the new version',
  schema: z.object({ ...subject, step: z.number().int(), weight: z.number().int(), evidence: z.array(evidenceSchema) }),
});

export const canaryPaused = defineMessage({
  name: 'canary.paused',
  version: 1,
  producer: 'canary-controller',
  summary: 'The release waits for a person',
  schema: z.object({ ...subject, evidence: z.array(evidenceSchema) }),
});

export const canaryPromoted = defineMessage({
  name: 'canary.promoted',
  version: 1,
  producer: 'canary-controller',
  summary: 'All traffic goes to the new version',
  schema: z.object({ ...subject, evidence: z.array(evidenceSchema) }),
});

export const canaryRolledBack = defineMessage({
  name: 'canary.rolled-back',
  version: 1,
  producer: 'canary-controller',
  summary: 'All traffic is back on the old version',
  schema: z.object({ ...subject, evidence: z.array(evidenceSchema) }),
});
