import type { MessageDefinition, Payload } from '@keelson/contracts';
import type { Priority } from '../envelope/priority.ts';

/** What a message of a saga is made from. */
export interface SagaFacts<Data> {
  readonly key: string;
  readonly data: Data;
  /** Why it is compensated, where it is. */
  readonly reason: string;
  readonly now: Date;
}

/** A message that the saga sends, through the outbox of the transaction that holds its new state. */
export interface Send<Data> {
  readonly message: MessageDefinition;
  payload(facts: SagaFacts<Data>): unknown;
  /** False: nobody need receive it. */
  readonly mandatory?: boolean;
  /** For subscriptions with priorities. */
  readonly priority?: Priority;
}

/** Keeps message and payload together. */
export const send = <M extends MessageDefinition, Data>(
  message: M,
  payload: (facts: SagaFacts<Data>) => Payload<M>,
  options: Pick<Send<Data>, 'mandatory' | 'priority'> = {},
): Send<Data> => ({ message, payload, ...options });

/** What to do with a report whose saga is not there. */
export type WhenUnknown = 'ignore' | 'park' | 'retry';

/** A message that tells the saga what became of a step. */
export interface Report {
  readonly message: MessageDefinition;
  /** Correlation: which saga it is about. */
  key(payload: unknown): string;
  /** Shown with the step: a number, a reason. */
  detail?(payload: unknown): string;
  /** Default `retry`: later, with the retry policy of the subscription, then the parking lot. */
  readonly whenUnknown: WhenUnknown;
}

/** Keeps message and correlation together. */
export const report = <M extends MessageDefinition>(
  message: M,
  key: (payload: Payload<M>) => string,
  options: { detail?: (payload: Payload<M>) => string; whenUnknown?: WhenUnknown } = {},
): Report => ({
  message,
  key,
  ...(options.detail ? { detail: options.detail } : {}),
  whenUnknown: options.whenUnknown ?? 'retry',
});

/** How what a step did is taken back. It must work for a step that was asked for and never reported, too. */
export type Undo<Data> =
  | { readonly kind: 'message'; readonly request: Send<Data>; readonly done: Report }
  /** Done by the service itself: see {@link Sagas.settle}. */
  | { readonly kind: 'local' };

export type StepDefinition<Data> = {
  readonly name: string;
  /** Absent: nothing to take back. */
  readonly undo?: Undo<Data>;
} & (
  | {
      /** Someone else does it and reports. */
      readonly kind: 'reported';
      readonly done: Report;
      /** It cannot be done: what was done before is taken back. */
      readonly failed?: Report;
      /** Compensated when it is not reported within that time; the saga's deadline holds besides. */
      readonly timeoutMs?: number;
    }
  /** The service does it itself, many at a time: see {@link Sagas.settle}. */
  | { readonly kind: 'local' }
  /** Done before the saga starts, by whoever started it. */
  | { readonly kind: 'before' }
);

/** Steps that go on at the same time. The next stage begins when all of them are done. */
export interface StageDefinition<Data> {
  /** Asks for its steps. Absent where they are local or done before. */
  readonly request?: Send<Data>;
  readonly steps: readonly StepDefinition<Data>[];
}

/** A process manager as data: what is asked of whom, in which order, and how each is taken back. */
export interface SagaDefinition<Data> {
  readonly name: string;
  /** A running saga ends under the version it began with, so change a definition by adding one with a higher version. */
  readonly version: number;
  readonly start: {
    readonly message: MessageDefinition;
    key(payload: unknown): string;
    data(payload: unknown): Data;
  };
  readonly stages: readonly StageDefinition<Data>[];
  /** From its start; then what is done is taken back. */
  readonly deadlineMs: number;
  /** An undo that is not reported within that time is asked for again, at growing intervals up to ten times this. */
  readonly undoRetryMs: number;
  /** Said at the end; several where two versions of a message live side by side. */
  readonly completed?: readonly Send<Data>[];
  readonly compensated?: readonly Send<Data>[];
}

/** Keeps start message, correlation and data together. */
export const startedBy = <M extends MessageDefinition, Data>(
  message: M,
  key: (payload: Payload<M>) => string,
  data: (payload: Payload<M>) => Data,
): SagaDefinition<Data>['start'] => ({
  message,
  key,
  data,
});

/** Throws TypeError naming what is wrong with it: found at start, not with the first message. */
export function defineSaga<Data>(definition: SagaDefinition<Data>): SagaDefinition<Data> {
  const where = `saga ${definition.name} version ${definition.version}`;
  const refuse = (fault: string): never => {
    throw new TypeError(`${where}: ${fault}`);
  };
  const names = stepsOf(definition).map(({ name }) => name);
  if (names.length === 0) refuse('it has no step');
  const double = names.find((name, index) => names.indexOf(name) !== index);
  if (double !== undefined) refuse(`two steps are called ${double}; give each a name of its own`);
  const reports = reportsOf(definition).map(({ report }) => report.message.routingKey);
  const twice = [definition.start.message.routingKey, ...reports].find((key, index, all) => all.indexOf(key) !== index);
  if (twice !== undefined) refuse(`message ${twice} stands for two things; use one message for each`);
  definition.stages.forEach(({ request, steps }, index) => {
    const local = steps.find(({ kind }) => kind === 'local');
    if (local && steps.length > 1) refuse(`step ${local.name} is local, so it needs a stage of its own`);
    const before = steps.find(({ kind }) => kind === 'before');
    if (before && index > 0)
      refuse(`step ${before.name} is done before the saga starts, so it belongs to the first stage`);
    const reported = steps.find(({ kind }) => kind === 'reported');
    if (reported && request === undefined)
      refuse(`nobody is asked for step ${reported.name}; give its stage a request`);
    if (!reported && request !== undefined)
      refuse(`the request of stage ${index} is for nobody: none of its steps is reported`);
  });
  return definition;
}

/** All steps, in the order in which they begin. */
export const stepsOf = <Data>({ stages }: SagaDefinition<Data>): StepDefinition<Data>[] =>
  stages.flatMap(({ steps }) => steps);

export type ReportKind = 'done' | 'failed' | 'undone';

/** Every report with the step it is about. */
export function reportsOf<Data>(
  definition: SagaDefinition<Data>,
): { report: Report; step: string; kind: ReportKind }[] {
  return stepsOf(definition).flatMap((step) => [
    ...(step.kind === 'reported' ? [{ report: step.done, step: step.name, kind: 'done' as const }] : []),
    ...(step.kind === 'reported' && step.failed
      ? [{ report: step.failed, step: step.name, kind: 'failed' as const }]
      : []),
    ...(step.undo?.kind === 'message' ? [{ report: step.undo.done, step: step.name, kind: 'undone' as const }] : []),
  ]);
}
