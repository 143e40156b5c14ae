import { z } from 'zod';
import { defineApi } from '../http/endpoint.ts';
import { pageOf, pageQuery } from '../http/page.ts';
import { timestamp } from '../time.ts';

/** RFC 1123 label, as Kubernetes wants names of Services. */
const label = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be a lower-case RFC 1123 label of at most 63 characters');
const seconds = z.number().int().min(1).max(86_400);

/** Which requests go to the new version. ingress-nginx's precedence: header, then cookie, then weight. */
export const matchSchema = z.strictObject({
  header: z
    .strictObject({
      name: z.string().min(1).max(128),
      value: z.string().max(256).optional(),
      pattern: z.string().max(256).optional(),
    })
    .optional(),
  /** Name of a cookie: value `always` goes to the new version, `never` to the old one. */
  cookie: z.string().min(1).max(128).optional(),
});

export const canarySpecSchema = z
  .strictObject({
    /** Style A: two Deployments and two Services, told apart by name; nothing is renamed. */
    stable: z.strictObject({ deployment: label, service: label }),
    canary: z.strictObject({ deployment: label, service: label }),
    route: z.strictObject({
      /** The Ingress that carries the traffic now; it stays the user's. */
      ingress: label,
      host: z.string().min(1).max(253),
      path: z.string().startsWith('/').max(1024).default('/'),
    }),
    match: matchSchema.optional(),
    steps: z
      .array(
        z.strictObject({
          /** Per cent of requests. */
          weight: z.number().int().min(0).max(100),
          /** How long this step must stay healthy before the next. */
          holdSeconds: seconds.default(60),
          /** Wait for `promote` here. */
          pause: z.boolean().default(false),
        }),
      )
      .min(1)
      .max(50),
    analysis: z
      .strictObject({
        intervalSeconds: seconds.default(10),
        /** Share of requests that must not be answered 5xx, 0 to 1. */
        successRate: z
          .strictObject({
            min: z.number().min(0).max(1).default(0.99),
            minSample: z.number().int().min(1).default(100),
          })
          .default({ min: 0.99, minSample: 100 }),
        /** Warning events of the new version's own pods that are tolerated during the release. */
        warningEvents: z
          .strictObject({
            max: z.number().int().min(0).default(0),
            ignoreReasons: z.array(z.string().max(128)).max(50).default([]),
          })
          .default({ max: 0, ignoreReasons: [] }),
        /** Failed looks in a row that roll back. */
        failureLimit: z.number().int().min(1).max(100).default(2),
        /** How long too few requests may hold a step before the rollout pauses. */
        inconclusiveLimitSeconds: seconds.default(600),
      })
      .prefault({}),
  })
  .meta({ id: 'CanarySpec' });

export const canaryPhase = z.enum([
  'Pending',
  'Progressing',
  'Paused',
  'Promoting',
  'Promoted',
  'RollingBack',
  'RolledBack',
  'Refused',
]);

/** One measurement with what it rests on. */
export const evidenceSchema = z
  .object({
    check: z.enum(['success-rate', 'warning-events', 'workload']),
    outcome: z.enum(['pass', 'fail', 'inconclusive', 'error']),
    /** In words: `12.4 % of 412 requests failed; allowed 3 %`. */
    summary: z.string(),
    query: z.string().optional(),
    value: z.number().optional(),
    threshold: z.number().optional(),
    sample: z.number().optional(),
    events: z
      .array(
        z.object({
          reason: z.string(),
          message: z.string(),
          object: z.string(),
          count: z.number().int(),
          lastSeen: timestamp(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Evidence' });

export const decisionSchema = z
  .object({
    id: z.uuid(),
    canaryId: z.uuid(),
    /** Which release of the Canary: its metadata.generation when the release began. */
    release: z.number().int(),
    at: timestamp(),
    act: z.enum([
      'start',
      'step',
      'hold',
      'pause',
      'resume',
      'promote',
      'promoted',
      'roll-back',
      'rolled-back',
      'refuse',
    ]),
    reason: z.string(),
    /** `controller`, or the token's name. */
    actor: z.string(),
    step: z.number().int(),
    weight: z.number().int(),
    evidence: z.array(evidenceSchema),
  })
  .meta({ id: 'Decision' });

export const canarySchema = z
  .object({
    /** metadata.uid of the Canary. */
    id: z.uuid(),
    namespace: z.string(),
    name: z.string(),
    team: z.string(),
    spec: canarySpecSchema,
    phase: canaryPhase,
    /** Why it is in this phase, in words. */
    reason: z.string(),
    release: z.number().int(),
    step: z.number().int().describe('index into spec.steps; -1 before the first'),
    weight: z.number().int(),
    since: timestamp(),
    lastDecision: decisionSchema.optional(),
    evidence: z.array(evidenceSchema),
  })
  .meta({ id: 'Canary' });

export const createCanarySchema = z
  .strictObject({ namespace: label, name: label, spec: canarySpecSchema })
  .meta({ id: 'CreateCanary' });

const id = z.object({ namespace: z.string(), name: z.string() });
const act = z.strictObject({ reason: z.string().max(500).default('') }).meta({ id: 'CanaryAct' });

/** HTTP contract of canary-controller. */
export const canariesApi = defineApi({
  service: 'canary-controller',
  title: 'Keelson canaries',
  version: '1.0.0',
  problems: {
    'route-taken': { status: 409, title: 'Another canary is under way on this host and path' },
    'canary-refused': { status: 422, title: 'The Kubernetes API refused the Canary' },
    'wrong-phase': { status: 409, title: 'The release is not in a phase in which this can be done' },
  },
  endpoints: {
    listCanaries: {
      method: 'GET',
      path: '/v1/canaries',
      scope: 'canaries:read',
      summary: 'List canaries',
      query: z.object({ ...pageQuery, namespace: z.string().max(63).optional(), phase: canaryPhase.optional() }),
      response: pageOf(canarySchema),
      status: 200,
    },
    applyCanary: {
      method: 'POST',
      path: '/v1/canaries',
      scope: 'canaries:write',
      summary: 'Create a canary or start its next release (server-side apply of the Canary resource)',
      body: createCanarySchema,
      response: canarySchema,
      status: 201,
      problems: ['route-taken', 'conflict', 'canary-refused'],
      idempotent: true,
    },
    getCanary: {
      method: 'GET',
      path: '/v1/canaries/{namespace}/{name}',
      scope: 'canaries:read',
      summary: 'One canary with its latest evidence',
      params: id,
      response: canarySchema,
      status: 200,
      problems: ['not-found'],
    },
    deleteCanary: {
      method: 'DELETE',
      path: '/v1/canaries/{namespace}/{name}',
      scope: 'canaries:write',
      summary: 'Remove a canary; a working stable route stays',
      params: id,
      status: 204,
      problems: ['not-found'],
    },
    listDecisions: {
      method: 'GET',
      path: '/v1/canaries/{namespace}/{name}/decisions',
      scope: 'canaries:read',
      summary: 'Every decision with its evidence, newest first',
      params: id,
      query: z.object({ ...pageQuery, release: z.coerce.number().int().optional() }),
      response: pageOf(decisionSchema),
      status: 200,
      problems: ['not-found'],
    },
    promoteCanary: {
      method: 'POST',
      path: '/v1/canaries/{namespace}/{name}/promote',
      scope: 'canaries:promote',
      summary: 'Go on from a pause, or send all traffic to the new version now',
      params: id,
      body: act.extend({ full: z.boolean().default(false) }),
      response: canarySchema,
      status: 202,
      problems: ['not-found', 'wrong-phase'],
      idempotent: true,
    },
    abortCanary: {
      method: 'POST',
      path: '/v1/canaries/{namespace}/{name}/abort',
      scope: 'canaries:abort',
      summary: 'Roll back now',
      params: id,
      body: act,
      response: canarySchema,
      status: 202,
      problems: ['not-found', 'wrong-phase'],
      idempotent: true,
    },
    pauseCanary: {
      method: 'POST',
      path: '/v1/canaries/{namespace}/{name}/pause',
      scope: 'canaries:write',
      summary: 'Hold at the present weight',
      params: id,
      body: act,
      response: canarySchema,
      status: 202,
      problems: ['not-found', 'wrong-phase'],
      idempotent: true,
    },
    resumeCanary: {
      method: 'POST',
      path: '/v1/canaries/{namespace}/{name}/resume',
      scope: 'canaries:write',
      summary: 'Go on after a pause',
      params: id,
      body: act,
      response: canarySchema,
      status: 202,
      problems: ['not-found', 'wrong-phase'],
      idempotent: true,
    },
  },
});

export type CanarySpec = z.infer<typeof canarySpecSchema>;
export type Canary = z.infer<typeof canarySchema>;
export type CanaryPhase = z.infer<typeof canaryPhase>;
export type Decision = z.infer<typeof decisionSchema>;
export type Evidence = z.infer<typeof evidenceSchema>;
