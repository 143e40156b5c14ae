export { begin, beginCancelled, decide, type Decision, type SagaEffect, type SagaInput } from './decide.ts';
export {
  defineSaga,
  report,
  type Report,
  type SagaDefinition,
  type SagaFacts,
  send,
  type Send,
  type StageDefinition,
  startedBy,
  type StepDefinition,
  type Undo,
  type WhenUnknown,
} from './definition.ts';
export { diagramOf } from './diagram.ts';
export { sagaMigrations } from './migrations.ts';
export { type SagaOutcome, Sagas, type SagasOptions } from './sagas.ts';
export { type SagaSnapshot, type SagaState, type StepRecord, type StepState } from './snapshot.ts';
export { type SagaView, type StepView, viewOf } from './view.ts';
