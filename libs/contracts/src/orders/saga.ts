import { z } from 'zod';
import { timestamp } from '../time.ts';

export const sagaState = z.enum(['running', 'compensating', 'completed', 'compensated']);
export const sagaStepState = z.enum(['waiting', 'begun', 'done', 'failed', 'undoing', 'undone']);

export const sagaStepSchema = z
  .object({
    name: z.string(),
    /** Who does it: somebody who reports, the service itself, or whoever started the saga. */
    kind: z.enum(['reported', 'local', 'before']),
    /** Whether it can be taken back. */
    undoable: z.boolean(),
    state: sagaStepState,
    begunAt: timestamp().optional(),
    doneAt: timestamp().optional(),
    failedAt: timestamp().optional(),
    undoingAt: timestamp().optional(),
    undoneAt: timestamp().optional(),
    /** How often the undo was asked for. */
    undoRequests: z.number().int().optional(),
    detail: z.string().optional(),
  })
  .meta({ id: 'SagaStep' });

/** A process over several roles: what was asked of whom, what became of it, and when. */
export const sagaSchema = z
  .object({
    name: z.string(),
    /** What it is about: the order's id. */
    key: z.string(),
    /** Of the definition that it began with and ends under. */
    definitionVersion: z.number().int(),
    state: sagaState,
    /** Why it is compensated. */
    reason: z.string().optional(),
    startedAt: timestamp(),
    endedAt: timestamp().optional(),
    /** When it times out next. */
    dueAt: timestamp().optional(),
    /** The service's own work that is due: `<step>/do` or `<step>/undo`. */
    waitingFor: z.string().optional(),
    /** In the order in which they begin; the steps of one stage go on at the same time. `request` asks for them. */
    stages: z.array(z.object({ request: z.string().optional(), steps: z.array(sagaStepSchema) })),
    /** Mermaid flowchart of the definition, each step with the class of its state. */
    diagram: z.string(),
  })
  .meta({ id: 'Saga' });

export type Saga = z.infer<typeof sagaSchema>;
export type SagaStep = z.infer<typeof sagaStepSchema>;
