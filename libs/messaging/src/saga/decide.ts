import { type SagaDefinition, type StepDefinition, stepsOf } from './definition.ts';
import type { SagaSnapshot, StepRecord } from './snapshot.ts';

/** What happens to a saga. */
export type SagaInput =
  | { readonly kind: 'done'; readonly step: string; readonly detail?: string }
  | { readonly kind: 'failed'; readonly step: string; readonly detail?: string }
  | { readonly kind: 'undone'; readonly step: string; readonly detail?: string }
  | { readonly kind: 'cancel'; readonly reason: string }
  | { readonly kind: 'timeout' };

/** What the saga tells others; made into messages where the definition is at hand. */
export type SagaEffect =
  | { readonly kind: 'request'; readonly stage: number }
  | { readonly kind: 'undo'; readonly step: string }
  | { readonly kind: 'completed' }
  | { readonly kind: 'compensated' };

/** `next` is undefined where the input changes nothing: a duplicate, or one that comes too late. */
export interface Decision<Data> {
  readonly next: SagaSnapshot<Data> | undefined;
  readonly effects: readonly SagaEffect[];
}

const nothing = { next: undefined, effects: [] } as const;

interface Beginning<Data> {
  readonly key: string;
  readonly data: Data;
  readonly now: Date;
}

/** What always changes something. */
type Change<Data> = Decision<Data> & { next: SagaSnapshot<Data> };

/** A new saga and what it asks for first. */
export const begin = <Data>(definition: SagaDefinition<Data>, beginning: Beginning<Data>): Change<Data> =>
  advance(definition, fresh(definition, beginning), beginning.now);

/** A saga that was cancelled before it began: it asks for nothing and takes back what was done before it. */
export const beginCancelled = <Data>(
  definition: SagaDefinition<Data>,
  beginning: Beginning<Data> & { readonly reason: string },
): Change<Data> => compensate(definition, fresh(definition, beginning), beginning.reason, beginning.now);

function fresh<Data>(definition: SagaDefinition<Data>, { key, data, now }: Beginning<Data>): SagaSnapshot<Data> {
  const steps = stepsOf(definition).map(({ name, kind }): [string, StepRecord] => [
    name,
    kind === 'before' ? { state: 'done', doneAt: now.toISOString() } : { state: 'waiting' },
  ]);
  return {
    name: definition.name,
    key,
    definitionVersion: definition.version,
    version: 0,
    state: 'running',
    data,
    steps: Object.fromEntries(steps),
    startedAt: now,
  };
}

/**
 * What becomes of a saga. Pure: the same arguments, the same answer. Reports may come in any order and any number of
 * times. When a step fails, times out or the saga is cancelled, what was done or asked for is taken back, the last step
 * of the definition first, each after the one before it is reported undone.
 */
export function decide<Data>(
  definition: SagaDefinition<Data>,
  saga: SagaSnapshot<Data>,
  input: SagaInput,
  now: Date,
): Decision<Data> {
  switch (saga.state) {
    case 'completed':
    case 'compensated':
      return nothing;
    case 'running':
      return whileRunning(definition, saga, input, now);
    case 'compensating':
      return whileCompensating(definition, saga, input, now);
    default:
      return assertNever(saga.state);
  }
}

function whileRunning<Data>(
  definition: SagaDefinition<Data>,
  saga: SagaSnapshot<Data>,
  input: SagaInput,
  now: Date,
): Decision<Data> {
  switch (input.kind) {
    case 'done': {
      if (!['waiting', 'begun'].includes(stepOf(saga, input.step).state)) return nothing;
      const changes: StepRecord = { state: 'done', doneAt: now.toISOString(), ...detailOf(input) };
      return advance(definition, changed(saga, input.step, changes), now);
    }
    case 'failed': {
      if (!['waiting', 'begun'].includes(stepOf(saga, input.step).state)) return nothing;
      const changes: StepRecord = { state: 'failed', failedAt: now.toISOString(), ...detailOf(input) };
      const reason = input.detail === undefined ? `${input.step} failed` : `${input.step} failed: ${input.detail}`;
      return compensate(definition, changed(saga, input.step, changes), reason, now);
    }
    case 'undone':
      return nothing;
    case 'cancel':
      return compensate(definition, saga, input.reason, now);
    case 'timeout': {
      const late = lateReason(definition, saga, now);
      return late === undefined ? nothing : compensate(definition, saga, late, now);
    }
    default:
      return assertNever(input);
  }
}

function whileCompensating<Data>(
  definition: SagaDefinition<Data>,
  saga: SagaSnapshot<Data>,
  input: SagaInput,
  now: Date,
): Decision<Data> {
  switch (input.kind) {
    case 'done': {
      // It had been asked for, so its undo is asked for in any case; what it did is worth knowing all the same.
      const step = stepOf(saga, input.step);
      if (step.doneAt !== undefined || !['begun', 'undoing'].includes(step.state)) return nothing;
      const state = step.state === 'begun' ? 'done' : step.state;
      return { next: changed(saga, input.step, { state, doneAt: now.toISOString(), ...detailOf(input) }), effects: [] };
    }
    case 'failed': {
      if (stepOf(saga, input.step).state !== 'begun') return nothing;
      const changes: StepRecord = { state: 'failed', failedAt: now.toISOString(), ...detailOf(input) };
      return { next: changed(saga, input.step, changes), effects: [] };
    }
    case 'undone': {
      if (stepOf(saga, input.step).state !== 'undoing') return nothing;
      const changes: StepRecord = { state: 'undone', undoneAt: now.toISOString(), ...detailOf(input) };
      return unwind(definition, changed(saga, input.step, changes), now);
    }
    case 'cancel':
      return nothing;
    case 'timeout': {
      const step = stepsOf(definition).find(({ name }) => stepOf(saga, name).state === 'undoing');
      if (step?.undo?.kind !== 'message' || saga.dueAt === undefined || now < saga.dueAt) return nothing;
      const undoRequests = (stepOf(saga, step.name).undoRequests ?? 0) + 1;
      const dueAt = later(now, definition.undoRetryMs * Math.min(10, undoRequests));
      const next = { ...changed(saga, step.name, { state: 'undoing', undoRequests }), dueAt };
      return { next, effects: [{ kind: 'undo', step: step.name }] };
    }
    default:
      return assertNever(input);
  }
}

/** Begins the first stage that is not done, or ends. */
function advance<Data>(definition: SagaDefinition<Data>, saga: SagaSnapshot<Data>, now: Date): Change<Data> {
  const stage = definition.stages.findIndex(({ steps }) =>
    steps.some(({ name }) => stepOf(saga, name).state !== 'done'),
  );
  const open = definition.stages[stage];
  if (open === undefined) {
    const next: SagaSnapshot<Data> = {
      ...saga,
      state: 'completed',
      endedAt: now,
      dueAt: undefined,
      waitingFor: undefined,
    };
    return { next, effects: [{ kind: 'completed' }] };
  }
  const beginning = open.steps.filter(({ name }) => stepOf(saga, name).state === 'waiting');
  const begun = beginning.reduce(
    (current, { name }) => changed(current, name, { state: 'begun', begunAt: now.toISOString() }),
    saga,
  );
  const local = open.steps.find(({ kind }) => kind === 'local');
  return {
    next: {
      ...begun,
      waitingFor: local && `${local.name}/do`,
      dueAt: dueOf(definition, open.steps, begun),
    },
    effects: beginning.length > 0 && open.request ? [{ kind: 'request', stage }] : [],
  };
}

function compensate<Data>(
  definition: SagaDefinition<Data>,
  saga: SagaSnapshot<Data>,
  reason: string,
  now: Date,
): Change<Data> {
  return unwind(definition, { ...saga, state: 'compensating', reason, waitingFor: undefined, dueAt: undefined }, now);
}

/** Takes back the last step that did anything, or ends. A step that was only asked for may still be done, so it counts. */
function unwind<Data>(definition: SagaDefinition<Data>, saga: SagaSnapshot<Data>, now: Date): Change<Data> {
  const last = stepsOf(definition).findLast(
    ({ name, undo }) => undo !== undefined && ['begun', 'done'].includes(stepOf(saga, name).state),
  );
  if (last === undefined) {
    const next: SagaSnapshot<Data> = {
      ...saga,
      state: 'compensated',
      endedAt: now,
      dueAt: undefined,
      waitingFor: undefined,
    };
    return { next, effects: [{ kind: 'compensated' }] };
  }
  const undoing = changed(saga, last.name, { state: 'undoing', undoingAt: now.toISOString() });
  if (last.undo?.kind === 'local') {
    return { next: { ...undoing, waitingFor: `${last.name}/undo`, dueAt: undefined }, effects: [] };
  }
  return {
    next: {
      ...changed(undoing, last.name, { state: 'undoing', undoRequests: 1 }),
      waitingFor: undefined,
      dueAt: later(now, definition.undoRetryMs),
    },
    effects: [{ kind: 'undo', step: last.name }],
  };
}

/** The first of the saga's deadline and its open steps' own. None while the service's own work is due: that cannot fail. */
function dueOf<Data>(
  definition: SagaDefinition<Data>,
  open: readonly StepDefinition<Data>[],
  saga: SagaSnapshot<Data>,
): Date | undefined {
  if (open.some(({ kind }) => kind === 'local')) return undefined;
  const limits = [later(saga.startedAt, definition.deadlineMs), ...open.flatMap((step) => limitOf(step, saga) ?? [])];
  return limits.reduce((first, limit) => (limit < first ? limit : first));
}

function limitOf<Data>(step: StepDefinition<Data>, saga: SagaSnapshot<Data>): Date | undefined {
  const { state, begunAt } = stepOf(saga, step.name);
  if (step.kind !== 'reported' || step.timeoutMs === undefined || state !== 'begun' || begunAt === undefined)
    return undefined;
  return later(new Date(begunAt), step.timeoutMs);
}

/** Why it is late, where it is. A clock that was put back only makes it wait. */
function lateReason<Data>(definition: SagaDefinition<Data>, saga: SagaSnapshot<Data>, now: Date): string | undefined {
  if (saga.dueAt === undefined || now < saga.dueAt) return undefined;
  const open = stepsOf(definition).filter(({ name }) => stepOf(saga, name).state === 'begun');
  const late = open.find((step) => (limitOf(step, saga) ?? now) < now);
  if (late?.kind === 'reported' && later(saga.startedAt, definition.deadlineMs) > now) {
    return `no ${late.name} within ${late.timeoutMs! / 1000} s`;
  }
  return `${open.map(({ name }) => `no ${name}`).join(', ')} within ${definition.deadlineMs / 1000} s`;
}

function stepOf<Data>(saga: SagaSnapshot<Data>, name: string): StepRecord {
  const step = saga.steps[name];
  if (step === undefined) throw new Error(`saga ${saga.name} version ${saga.definitionVersion} has no step ${name}`);
  return step;
}

const changed = <Data>(saga: SagaSnapshot<Data>, step: string, changes: StepRecord): SagaSnapshot<Data> => ({
  ...saga,
  steps: { ...saga.steps, [step]: { ...stepOf(saga, step), ...changes } },
});

const detailOf = ({ detail }: { detail?: string }) => (detail === undefined ? {} : { detail });

const later = (time: Date, ms: number): Date => new Date(time.getTime() + ms);

function assertNever(value: never): never {
  throw new Error(`unknown ${JSON.stringify(value)}`);
}
