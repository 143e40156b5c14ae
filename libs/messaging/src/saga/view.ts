import { diagramOf } from './diagram.ts';
import type { SagaDefinition } from './definition.ts';
import type { SagaSnapshot, SagaState, StepRecord } from './snapshot.ts';

/** A step as others see it: what the definition says of it and what has happened to it. */
export interface StepView extends StepRecord {
  readonly name: string;
  readonly kind: 'reported' | 'local' | 'before';
  /** Whether it can be taken back. */
  readonly undoable: boolean;
}

/** A saga for an API to answer with: JSON, nothing of its data. */
export interface SagaView {
  readonly name: string;
  readonly key: string;
  readonly definitionVersion: number;
  readonly state: SagaState;
  readonly reason?: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly dueAt?: string;
  readonly waitingFor?: string;
  /** In the order in which they begin; the steps of one stage go on at the same time. */
  readonly stages: readonly { readonly request?: string; readonly steps: readonly StepView[] }[];
  /** Mermaid. */
  readonly diagram: string;
}

export const viewOf = <Data>(definition: SagaDefinition<Data>, saga: SagaSnapshot<Data>): SagaView => ({
  name: saga.name,
  key: saga.key,
  definitionVersion: saga.definitionVersion,
  state: saga.state,
  ...(saga.reason === undefined ? {} : { reason: saga.reason }),
  startedAt: saga.startedAt.toISOString(),
  ...(saga.endedAt ? { endedAt: saga.endedAt.toISOString() } : {}),
  ...(saga.dueAt ? { dueAt: saga.dueAt.toISOString() } : {}),
  ...(saga.waitingFor === undefined ? {} : { waitingFor: saga.waitingFor }),
  stages: definition.stages.map(({ request, steps }) => ({
    ...(request ? { request: request.message.routingKey } : {}),
    steps: steps.map(({ name, kind, undo }) => ({
      name,
      kind,
      undoable: undo !== undefined,
      ...(saga.steps[name] ?? { state: 'waiting' as const }),
    })),
  })),
  diagram: diagramOf(definition, saga),
});
